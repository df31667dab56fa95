"""What happens in chats when a run ends: what waited behind it goes on, and the chat counts as answered."""

from typing import Any

from django.db.models import F
from django.dispatch import receiver
from django.utils import timezone

from chat.conversations.actions import release_followers
from chat.conversations.announcing import announce_mark
from chat.conversations.models import Conversation
from chat.prepared import PreparedUpdate, given
from chat.runs.models import Run
from chat.runs.signals import run_ended

_ANSWERED = PreparedUpdate(
    lambda: Conversation.objects.filter(topic=given("of_topic")), "answered_at", version=F("version") + 1
)


@receiver(run_ended)
def go_on_after_run(run: Run, **kwargs: Any) -> None:
    """Part of the transaction that ends the run: no crash can leave it ended and what waited behind it waiting."""
    # Runs first, then their chat: in one order, so that no two of these wait for each other.
    release_followers(run)
    # Not when it was last written in: an answer moves no chat about under somebody's pointer.
    _ANSWERED(of_topic=run.topic, answered_at=timezone.now())
    announce_mark(run.owner_id, run.topic)
