"""What the composer shows beside the text: which key pays, how much of the context is used, the most a send can cost.

Reads lanes, keys and offers once for whoever shows them; knows no turns but the paths it is given to count.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from chat.accounts.models import User
from chat.catalogue.models import Offer, offers_of
from chat.conversations.context import Estimate, estimate
from chat.conversations.history import recent_paths
from chat.conversations.models import Conversation, Lane, Message
from chat.keys.choose import KeyChoice, usable_keys_by_endpoint
from chat.local import supervisor as local_model
from chat.prepared import Prepared, given

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
    """What sending would take: tokens of context, and US dollars."""

    context_used: int
    context_length: int | None
    too_long: bool
    most_it_costs: Decimal | None


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
    meter = _meter(conversation, known.lanes, known.offers, paths)
    paying = next((lane for lane in known.lanes if lane.endpoint is not None and lane.endpoint.needs_key), None)
    missing = any(lane.endpoint is not None and not known.keys.get(lane.endpoint.pk) for lane in known.lanes)
    return Composer(
        context_used=meter.context_used,
        context_length=meter.context_length,
        too_long=meter.too_long,
        most_it_costs=meter.most_it_costs,
        client_id=uuid4().hex,
        keys=_key_options(paying, known.keys),
        key_notice="Needs a key" if missing else "",
    )


def composer_meter(conversation: Conversation, lanes: list[Lane]) -> Meter:
    """What sending more would take, alone."""
    return _meter(conversation, lanes, _offers(lanes), recent_paths(lanes))


def _meter(
    conversation: Conversation, lanes: list[Lane], offers: list[Offer], paths: dict[int, list[Message]]
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
    )


def _estimate(lane: Lane, path: list[Message], offers: list[Offer], typed: str) -> Estimate:
    local = lane.endpoint is not None and lane.endpoint.is_local
    fallback = local_model.status().context_length if local else None
    return estimate(lane, path, lane.choice.best_offer(offers), typed, fallback)


def _offers(lanes: list[Lane]) -> list[Offer]:
    return offers_of(lane.choice for lane in lanes)


def _key_options(lane: Lane | None, keys: dict[int, list[KeyChoice]]) -> list[KeyOption]:
    if lane is None or lane.endpoint is None:
        return []
    usable = keys.get(lane.endpoint.pk, [])
    refs = [key.ref for key in usable]
    chosen = lane.key_ref if lane.key_ref in refs else next(iter(refs), "")
    return [KeyOption(key.ref, key.label, key.last_four, key.ref == chosen) for key in usable]
