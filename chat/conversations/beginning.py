"""What a send changes of its chat: it has begun, with a title where it had none, and its composer is empty."""

from django.db.models import Case, CharField, F, When
from django.db.models.functions import Cast
from django.utils import timezone

from chat.conversations.models import Conversation
from chat.prepared import PreparedUpdate, given

TITLE_LENGTH = 60
_BEGIN = PreparedUpdate(
    lambda: Conversation.objects.filter(pk=given("chat")),
    "updated_at",
    version=F("version") + 1,
    is_draft=False,
    composer_text="",
    # In SQL: who names it in this moment has the last word.
    title=Case(When(title="", then=Cast(given("new_title"), CharField())), default=F("title")),
)


def begin(conversation: Conversation, text: str) -> None:
    """Part of the transaction that stores what was sent; pages that show the chat are older than it now."""
    _BEGIN(chat=conversation.pk, new_title=title_of(text), updated_at=timezone.now())


def title_of(text: str) -> str:
    """The first line of a prompt, cut at a word."""
    line = next((" ".join(line.split()) for line in text.splitlines() if line.strip()), "New chat")
    if len(line) <= TITLE_LENGTH:
        return line
    return line[:TITLE_LENGTH].rsplit(" ", 1)[0].rstrip(" ,.;:") + "…"
