"""What the composer shows beside the text: which key pays, how much of the context is used, the most a send can cost.

Reads lanes, keys and offers once for whoever shows them; knows no turns but the paths it is given to count.
"""

from dataclasses import asdict, dataclass
from decimal import Decimal
from uuid import uuid4

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, ModelChoice, Offer, offers_of
from chat.conversations.context import Estimate, estimate
from chat.conversations.history import recent_paths
from chat.conversations.models import Conversation, Lane, Message
from chat.keys.choose import KeyChoice, usable_keys_by_endpoint
from chat.keys.errors import NotGranted
from chat.keys.shares import money_left_today
from chat.local import supervisor as local_model
from chat.prepared import Prepared, given
from chat.runs.reservations import ways_to_pay

TEXT_LIMIT = 200_000
_LANES = Prepared(lambda: Lane.objects.live().filter(conversation=given("chat")).select_related("endpoint"))


@dataclass(frozen=True, slots=True)
class KeyOption:
    """A key that could pay, for the composer's choice."""

    ref: str
    label: str
    last_four: str
    selected: bool


@dataclass(frozen=True, slots=True)
class Meter:
    """What sending would take: tokens of context, and at most so many US dollars and tokens of so many models together.

    ``left_today`` is how many dollars the key that pays has left for the person, None where no limit says so.
    """

    context_used: int
    context_length: int | None
    too_long: bool
    most_it_costs: Decimal | None
    most_tokens: int
    models: int
    left_today: Decimal | None


@dataclass(frozen=True, slots=True)
class Composer(Meter):
    """What the composer shows beside the text. ``live``: answers being written."""

    client_id: str
    keys: list[KeyOption]
    key_notice: str
    live: int = 0
    text_limit: int = TEXT_LIMIT
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """The lanes of a conversation, with the keys and the offers that they could be asked with."""

    lanes: list[Lane]
    keys: dict[int, list[KeyChoice]]
    offers: list[Offer]

    @classmethod
    def of(cls, user: User, conversation: Conversation) -> "Known":
        lanes = live_lanes(conversation)
        endpoints = {lane.endpoint_id: lane.endpoint for lane in lanes if lane.endpoint is not None}
        return cls(lanes, usable_keys_by_endpoint(user, endpoints.values()), _offers(lanes))


def live_lanes(conversation: Conversation) -> list[Lane]:
    return _LANES.rows(chat=conversation.pk)


def composer(conversation: Conversation, known: Known, paths: dict[int, list[Message]]) -> Composer:
    """``paths`` holds what each lane has been sent, or its end from the last answer that a provider counted."""
    paying = next((lane for lane in known.lanes if lane.endpoint is not None and lane.endpoint.needs_key), None)
    usable = _usable(paying, known.keys, known.offers)
    chosen = _chosen(paying, usable)
    meter = _meter(conversation, known.lanes, known.offers, paths, chosen)
    missing = any(lane.endpoint is not None and not _usable(lane, known.keys, known.offers) for lane in known.lanes)
    given = any(lane.endpoint is not None and known.keys.get(lane.endpoint.pk) for lane in known.lanes)
    return Composer(
        **asdict(meter),
        client_id=uuid4().hex,
        keys=[KeyOption(key.ref, key.label, key.last_four, key is chosen) for key in usable],
        key_notice=("Not for your keys: ask for it" if given else "Needs a key") if missing else "",
    )


def composer_meter(conversation: Conversation, lanes: list[Lane], *, ask_keys: bool = False) -> Meter:
    """What sending more would take, alone. What is left is looked up where an answer took some of it, or if asked."""
    paths, offers = recent_paths(lanes), _offers(lanes)
    limited = any(message.run and message.run.holds_reservation for path in paths.values() for message in path)
    paying = next((lane for lane in lanes if lane.endpoint is not None and lane.endpoint.needs_key), None)
    chosen = None
    if (limited or ask_keys) and paying is not None and paying.endpoint is not None:
        keys = usable_keys_by_endpoint(conversation.owner, [paying.endpoint])
        chosen = _chosen(paying, _usable(paying, keys, offers))
    return _meter(conversation, lanes, offers, paths, chosen)


def _meter(
    conversation: Conversation,
    lanes: list[Lane],
    offers: list[Offer],
    paths: dict[int, list[Message]],
    key: KeyChoice | None,
) -> Meter:
    estimates = [_estimate(lane, paths[lane.pk], offers, conversation.composer_text) for lane in lanes]
    # The lane that is nearest to its limit speaks for all.
    fullest = max(estimates, key=lambda e: e.used / e.length if e.length else 0.0, default=Estimate(0, None, None))
    costs = [e.most_cost for e in estimates if e.most_cost is not None]
    return Meter(
        context_used=fullest.used,
        context_length=fullest.length,
        too_long=any(e.too_long for e in estimates),
        most_it_costs=sum(costs, Decimal(0)) if costs else None,
        most_tokens=sum(e.most_tokens for e in estimates),
        models=len(lanes),
        left_today=_left_today(key, conversation),
    )


def _left_today(key: KeyChoice | None, conversation: Conversation) -> Decimal | None:
    # Most keys have no limit, and then nobody's account is read.
    if key is None or not (key.capped or key.limited):
        return None
    return money_left_today(key, conversation.owner)


def _estimate(lane: Lane, path: list[Message], offers: list[Offer], typed: str) -> Estimate:
    local = lane.endpoint is not None and lane.endpoint.is_local
    fallback = local_model.status().context_length if local else None
    return estimate(lane, path, lane.choice.best_offer(offers), typed, fallback)


def _offers(lanes: list[Lane]) -> list[Offer]:
    return offers_of(lane.choice for lane in lanes)


def _usable(lane: Lane | None, keys: dict[int, list[KeyChoice]], offers: list[Offer]) -> list[KeyChoice]:
    """The keys that may pay for what a lane asks."""
    if lane is None or lane.endpoint is None:
        return []
    return [key for key in keys.get(lane.endpoint.pk, []) if _may_pay(key, lane.endpoint, lane.choice, offers)]


def _may_pay(key: KeyChoice, endpoint: Endpoint, choice: ModelChoice, offers: list[Offer]) -> bool:
    try:
        return bool(ways_to_pay([key], endpoint, choice, offers))
    except NotGranted:
        return False


def _chosen(lane: Lane | None, usable: list[KeyChoice]) -> KeyChoice | None:
    wished = (key for key in usable if lane is not None and key.ref == lane.key_ref)
    return next(wished, usable[0] if usable else None)
