"""What one person may have: answers under way, chats, stored text. It counts, makes room where it can, and refuses.

Room is made by removing for good what was deleted and can no longer be brought back: nothing else ever is.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from chat.accounts.models import User
from chat.conversations.errors import Refused
from chat.conversations.models import Conversation, Lane, Message
from chat.prepared import Prepared, given
from chat.runs.models import Run
from chat.usage import storage
from chat.usage.models import StoredText

MEGABYTE = 1_000_000
# Longer than any page offers to undo a deletion.
UNDO_TIME = timedelta(minutes=1)
# A send that makes room removes so many chats at most: others wait for the database meanwhile.
REMOVED_AT_ONCE = 100
_UNDER_WAY = Prepared(lambda: Run.objects.active().filter(owner=given("owner")).values_list("pk", flat=True))
_THEMSELVES = Prepared(
    lambda: User.objects.select_for_update(no_key=True).filter(pk=given("user")).values_list("pk", flat=True)
)


def check_answers(user: User, more: int) -> None:
    """Refuse when this person would have more answers under way than one may. Call it inside the transaction."""
    one_at_a_time(user)
    if len(_UNDER_WAY.rows(owner=user.pk)) + more > settings.MAX_ACTIVE_RUNS:
        raise Refused(
            f"At most {settings.MAX_ACTIVE_RUNS} answers can be under way at once. Wait for one, or stop one."
        )


def check_chats(user: User) -> None:
    """Refuse when this person has as many chats as one may, before a draft becomes one more."""
    one_at_a_time(user)
    chats = Conversation.objects.filter(owner=user, is_draft=False)
    if chats.count() < settings.MAX_CHATS:
        return
    remove_deleted(user)
    if chats.count() >= settings.MAX_CHATS:
        raise Refused(f"You have {intcomma(settings.MAX_CHATS)} chats, the most one may keep. Delete one, then go on.")


def take_room(user: User, amount: int) -> None:
    """Count ``amount`` more bytes as stored, or refuse. The last thing in a transaction (``usage.storage``)."""
    most = settings.MAX_STORED_MB * MEGABYTE
    if storage.add_within(user.pk, amount, most):
        return
    remove_deleted(user)
    if count_anew(user) > most and amount > 0:
        raise Refused(
            f"Your chats hold {intcomma(settings.MAX_STORED_MB)} MB, the most one may store. Delete some, then go on."
        )


def count_anew(user: User) -> int:
    """Count all that is stored of a person, what this transaction has written included; returns bytes."""
    total = sum(
        storage.bytes_in(rows, rows.model.TEXTS)
        for rows in (
            Conversation.objects.filter(owner=user),
            Lane.objects.filter(conversation__owner=user),
            Message.objects.filter(lane__conversation__owner=user),
            Run.objects.filter(owner=user),
        )
    )
    StoredText.objects.update_or_create(user=user, defaults={"bytes": total})
    return total


def remove_deleted(user: User) -> None:
    """Remove for good what this person has deleted, oldest first, once its answers have ended and undo is past."""
    past = Conversation.objects.filter(owner=user, deleted_at__lt=timezone.now() - UNDO_TIME)
    at_work = Run.objects.unsettled().filter(topic=OuterRef("topic"))
    found = past.filter(~Exists(at_work)).order_by("deleted_at").values_list("pk", "topic")[:REMOVED_AT_ONCE]
    chats = dict(found)
    Run.objects.filter(topic__in=chats.values()).delete()
    Conversation.objects.filter(pk__in=chats).delete()


def one_at_a_time(user: User) -> None:
    """Two sends of a person at once would each find room. SQLite has one writer anyway.

    Held before anything that limits count is stopped or begun: everybody takes these in the same order.
    """
    if connection.features.has_select_for_update:
        _THEMSELVES.rows(user=user.pk)
