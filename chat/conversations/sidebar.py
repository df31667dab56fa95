"""The list of chats beside every page: grouped by age, fifty at a time. What is found by words is ``search``'s."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import SimpleLazyObject

from chat.accounts.models import User
from chat.conversations.models import Conversation
from chat.prepared import Prepared, given

CHATS_PER_PAGE = 50
Groups = list[tuple[str, list[Conversation]]]
_ABOVE = Prepared(
    lambda: Conversation.objects.filter(
        owner=given("owner"),
        deleted_at__isnull=True,
        is_draft=False,
        pinned=given("pinned"),
        updated_at__gt=given("updated_at"),
    ).values_list("pk")[:1]
)


def chat_list(user: User, before: str = "") -> dict[str, Any]:
    """The context of ``chat/_chat_list.html``. ``before`` is where an earlier page ended."""
    chats = Conversation.objects.listed(user)
    if (moment := _moment(before)) is not None:
        chats = chats.filter(updated_at__lt=moment, pinned=False)
    found = list(chats[: CHATS_PER_PAGE + 1])
    shown = found[:CHATS_PER_PAGE]
    more = ""
    if len(found) > CHATS_PER_PAGE and not shown[-1].pinned:
        more = f"{reverse('search_chats')}?{urlencode({'before': shown[-1].updated_at.isoformat()})}"
    return {"chat_groups": by_age(shown), "more_chats_url": more}


def is_at_top(conversation: Conversation) -> bool:
    """Whether writing in this chat, as it was read before, leaves the list as it is."""
    if (
        not conversation.title
        or conversation.is_draft
        or timezone.localdate(conversation.updated_at) != timezone.localdate()
    ):
        return False
    return not _ABOVE.rows(owner=conversation.owner_id, pinned=conversation.pinned, updated_at=conversation.updated_at)


def chats_beside(request: HttpRequest) -> dict[str, Any]:
    """A context processor: the list for pages that show it beside something else, read only where it is."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    found = SimpleLazyObject(lambda: chat_list(user))
    return {
        "chat_groups": SimpleLazyObject(lambda: found["chat_groups"]),
        "more_chats_url": SimpleLazyObject(lambda: found["more_chats_url"]),
    }


def _moment(text: str) -> datetime | None:
    """The moment of an earlier page's end; None for what no page of ours asks."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    return moment if moment is not None and timezone.is_aware(moment) else None


def by_age(chats: Iterable[Conversation]) -> Groups:
    """Chats under the headings of the sidebar, in the order given."""
    today = timezone.localdate()
    groups: dict[str, list[Conversation]] = {}
    for chat in chats:
        label = "Pinned" if chat.pinned else _age(timezone.localtime(chat.updated_at).date(), today)
        groups.setdefault(label, []).append(chat)
    return list(groups.items())


def _age(day: date, today: date) -> str:
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return "Last week" if day > today - timedelta(days=7) else "Older"
