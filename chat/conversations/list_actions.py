"""What a person does with the list of chats: begin, rename, pin, delete with undo, mark as read, keep what is typed."""

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.db.models import Exists
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.models import ModelChoice
from chat.conversations.announcing import announce, announce_list, announce_mark
from chat.conversations.beginning import title_of
from chat.conversations.ceilings import check_chats
from chat.conversations.lane_actions import new_lane
from chat.conversations.models import MAX_LANES, Conversation, Lane, Turn
from chat.conversations.tree_actions import stop_conversation
from chat.prepared import PreparedUpdate, given
from chat.runs.broadcast import LanesChanged
from chat.usage import storage

_SEE = PreparedUpdate(lambda: Conversation.objects.filter(pk=given("chat")), "seen_at")


def draft_for(user: User, choices: Sequence[ModelChoice]) -> Conversation:
    """The person's draft, made with ``choices`` as its lanes where there is none yet, or none that was touched."""
    draft = Conversation.objects.of(user).filter(is_draft=True).first()
    if draft is not None and (draft.version or draft.composer_text):
        return draft
    if draft is not None:
        _start_with(draft, choices[0])
        return draft
    try:
        with transaction.atomic():
            draft = Conversation.objects.create(owner=user, is_draft=True)
            lanes = [new_lane(draft, choice, user) for choice in choices[:MAX_LANES]]
            storage.add(user.pk, sum(storage.bytes_of(lane, Lane.TEXTS) for lane in lanes))
    except IntegrityError:
        return Conversation.objects.of(user).get(is_draft=True)
    return draft


def _start_with(draft: Conversation, choice: ModelChoice) -> None:
    """A key or a setting that came since the draft was made changes what it starts with."""
    Lane.objects.filter(conversation=draft).update(
        endpoint_id=choice.endpoint_id, model_id=choice.model_id, provider=choice.provider
    )


def fresh_draft(user: User, choices: Sequence[ModelChoice], text: str = "") -> Conversation:
    """A new draft with these lanes and this text. An earlier one with something typed moves into the list."""
    with transaction.atomic():
        earlier = Conversation.objects.of(user).filter(is_draft=True).first()
        freed = 0
        if earlier is not None and earlier.composer_text.strip() not in ("", text.strip()):
            check_chats(user)
            fields = {"is_draft": False, "title": title_of(earlier.composer_text), "updated_at": timezone.now()}
            Conversation.objects.filter(pk=earlier.pk).update(**fields)
        elif earlier is not None:
            freed = storage.bytes_of(earlier, Conversation.TEXTS)
            freed += sum(storage.bytes_of(lane, Lane.TEXTS) for lane in earlier.lanes.all())
            earlier.delete()
        draft = draft_for(user, choices)
        draft.composer_text = text
        # These lanes were asked for: a later default does not replace them.
        draft.version = 1
        draft.save(update_fields=["composer_text", "version"])
        storage.add(user.pk, len(text.encode()) - freed)
    return draft


def rename(conversation: Conversation, title: str) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(title=" ".join(title.split())[:200] or conversation.title)
    announce_list(conversation)


def set_pinned(conversation: Conversation, pinned: bool) -> None:
    Conversation.objects.filter(pk=conversation.pk).update(pinned=pinned)
    announce_list(conversation)


def delete(conversation: Conversation) -> None:
    """Take a chat out of the list and stop its answers; ``restore`` brings it back."""
    with transaction.atomic():
        stop_conversation(conversation)
        # No draft any more: a person has one, deleted ones included.
        Conversation.objects.filter(pk=conversation.pk).update(deleted_at=timezone.now(), is_draft=False)
        announce_list(conversation)


def restore(conversation: Conversation) -> None:
    """Undo ``delete``. A page that stayed open has not heard how the answers ended."""
    with transaction.atomic():
        Conversation.objects.filter(pk=conversation.pk).update(deleted_at=None)
        announce(conversation, LanesChanged())
        announce_list(conversation)


def mark_seen(conversation: Conversation) -> None:
    """The person has the chat before them; what was unread no longer is, and the list is told."""
    if conversation.unread:
        conversation.seen_at = timezone.now()
        _SEE(chat=conversation.pk, seen_at=conversation.seen_at)
        announce_mark(conversation.owner_id, conversation.topic)


def keep_typed(conversation: Conversation, text: str, client_id: str) -> None:
    """Keep what stands in the composer, so that a reload shows it again.

    What was sent as ``client_id`` meanwhile is typed no more: a page saves while it sends, and may be heard later.
    """
    sent = Turn.objects.filter(owner_id=conversation.owner_id, client_id=client_id)
    with transaction.atomic():
        chats = Conversation.objects.select_for_update(of=("self",), no_key=True)
        found = chats.filter(~Exists(sent), pk=conversation.pk).first()
        if found is None:
            return
        grown = len(text.encode()) - storage.bytes_of(found, Conversation.TEXTS)
        Conversation.objects.filter(pk=found.pk).update(composer_text=text)
        # Never refused: what is typed is kept, and there is one such text a chat.
        storage.add(found.owner_id, grown)
