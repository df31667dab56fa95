"""Answers a search: the chats that fit best, each with the message in it that does, in words to show.

The index gives the newest that match, the same on both databases; which of them stand first is decided here, from their
texts: how often the words occur for the length, whether the title has them, and how long ago that was. Only a person's
own chats, and of those only what can still be reached. Thoughts of models are not searched: they are folded away on
the page, and repeat the words of every question.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import log
from uuid import UUID

from django.db.models.functions import Concat, Substr
from django.urls import reverse
from django.utils import timezone

from chat.accounts.models import User
from chat.conversations.addresses import message_address
from chat.conversations.history import Tree
from chat.conversations.models import Conversation, Lane, Message
from chat.conversations.search import index
from chat.conversations.search.words import LOOKED_AT, Piece, Query, counts, excerpt, marked, parse

MOST_HITS = 20
MOST_TITLES = 40
# So many of the newest matches are weighed against each other, so many of one chat at most, out of so many that the
# index lists: to find them takes it long, to list some more does not. Where few chats hold them all, it is asked again.
WEIGHED = 80
WEIGHED_OF_A_CHAT = 10
LISTED = 2_000
ROUNDS = 4
# Chats; with fewer, older matches are worth another look.
ENOUGH = 10
TITLE_WEIGHT = 3.0
# After so many days a match counts half.
FADES_IN_DAYS = 180


@dataclass(frozen=True, slots=True)
class Hit:
    """One chat that was found. ``excerpt`` is of the message at ``url``; empty where only the title has the words.

    ``author`` wrote it, or the person themselves ``asked`` it. ``elsewhere``: the message is on no path that the page
    shows; choosing it (``select_message``) makes it so.
    """

    conversation: Conversation
    url: str
    title: tuple[Piece, ...]
    author: str = ""
    asked: bool = False
    excerpt: tuple[Piece, ...] = ()
    message_id: int | None = None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """A message that has the words, weighed."""

    pk: int
    lane_id: int
    conversation_id: UUID
    role: str
    author: str
    text: str
    weight: float


def search_conversations(user: User, typed: str, limit: int = MOST_HITS) -> list[Hit]:
    """The chats of a person that fit what was typed, best first. Nothing typed raises; without a word nothing is found.

    All words must be in the title or in one message; see ``words.parse`` for what can be typed.
    """
    query = parse(typed)
    if not query.wanted:
        return []
    named = set(index.newest_titles(query, user.pk, MOST_TITLES))
    best = _best_of_each_chat(_matches(query, user))
    chats = Conversation.objects.of(user).filter(is_draft=False).in_bulk([*named, *best])
    weights = {pk: _weight(chat, pk in named, best.get(pk), query) for pk, chat in chats.items()}
    found = sorted(chats.values(), key=lambda chat: weights[chat.pk], reverse=True)[:limit]
    shown = _shown_messages(best[chat.pk].lane_id for chat in found if chat.pk in best)
    return [_hit(chat, best.get(chat.pk), query, shown) for chat in found]


def _matches(query: Query, user: User) -> list[Match]:
    """Messages that can be reached; older ones, too, where the newest are all in few chats."""
    matches: list[Match] = []
    chats: set[UUID] = set()
    for _ in range(ROUNDS):
        newest = index.newest_messages(query, user.pk, chats, WEIGHED, LISTED)
        matches += _reachable(_weighed(_spread(newest), query))
        chats |= {chat for _, chat in newest}
        if len(newest) < WEIGHED or len(chats) >= ENOUGH:
            break
    return matches


def _spread(newest: Iterable[tuple[int, UUID]]) -> list[int]:
    """The newest of these that are weighed: a long chat does not take the place of all others."""
    taken: list[int] = []
    of_chat: Counter[UUID] = Counter()
    for pk, chat in newest:
        of_chat[chat] += 1
        if of_chat[chat] <= WEIGHED_OF_A_CHAT:
            taken.append(pk)
        if len(taken) == WEIGHED:
            break
    return taken


def _weighed(pks: Collection[int], query: Query) -> list[Match]:
    now = timezone.now()
    written = Substr(Concat("run__prefix", "run__text"), 1, LOOKED_AT)
    rows = Message.objects.filter(pk__in=pks).annotate(written=written).order_by()
    columns = (
        "pk",
        "lane_id",
        "lane__conversation_id",
        "role",
        "model_label",
        "created_at",
        "run_id",
        "parts",
        "written",
    )
    found = []
    for pk, lane_id, conversation_id, role, author, created_at, run_id, parts, answer in rows.values_list(*columns):
        text = answer if run_id is not None else "".join(part["text"] for part in parts if part["type"] == "text")
        weight = _density(text, query) * _freshness(created_at, now)
        found.append(Match(pk, lane_id, conversation_id, role, author, text, weight))
    return found


def _reachable(matches: list[Match]) -> list[Match]:
    """Without those that stand below a deleted message. Only lanes that hold one need their trees."""
    lanes = {match.lane_id for match in matches}
    torn = set(
        Message.objects.filter(lane_id__in=lanes, deleted_at__isnull=False)
        .order_by()
        .values_list("lane_id", flat=True)
        .distinct()
    )
    trees = Tree.of_lanes(torn) if torn else {}
    return [match for match in matches if match.lane_id not in trees or trees[match.lane_id].stands(match.pk)]


def _best_of_each_chat(matches: Iterable[Match]) -> dict[UUID, Match]:
    best: dict[UUID, Match] = {}
    for match in matches:
        known = best.get(match.conversation_id)
        if known is None or (match.weight, match.pk) > (known.weight, known.pk):
            best[match.conversation_id] = match
    return best


def _weight(chat: Conversation, named: bool, best: Match | None, query: Query) -> float:
    in_title = TITLE_WEIGHT * len(query.wanted) * _freshness(chat.updated_at, timezone.now()) if named else 0.0
    return in_title + (best.weight if best else 0.0)


def _density(text: str, query: Query) -> float:
    """How much a text is about the words: often is more than once, but not in proportion, and less in a long text."""
    occurrences = sum(1 + log(count) for count in counts(text, query) if count)
    return occurrences / (1 + log(1 + len(text) / 2_000))


def _freshness(moment: datetime, now: datetime) -> float:
    """From 1 for today down towards 0.5: what is old is still found."""
    days = max(0.0, (now - moment).total_seconds() / 86_400)
    return 0.5 + 0.5 / (1 + days / FADES_IN_DAYS)


def _shown_messages(lane_ids: Iterable[int]) -> set[int]:
    """The messages on the visible paths of some lanes."""
    heads = dict(Lane.objects.filter(pk__in=set(lane_ids)).values_list("pk", "head"))
    trees = Tree.of_lanes(heads)
    return {node.pk for pk, head in heads.items() for node in trees[pk].path(head)}


def _hit(chat: Conversation, best: Match | None, query: Query, shown: set[int]) -> Hit:
    title = marked(str(chat), query)
    if best is None:
        return Hit(chat, reverse("conversation", args=[chat.pk]), title)
    return Hit(
        chat,
        message_address(chat.pk, best.pk),
        title,
        author=best.author,
        asked=best.role == Message.Role.USER,
        excerpt=excerpt(best.text, query),
        message_id=best.pk,
        elsewhere=best.pk not in shown,
    )
