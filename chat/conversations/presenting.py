"""What the templates of a conversation are given: lanes, turns, composer and differences as plain values.

Reads the database and renders nothing; views and frames share it, so that a page and what the socket sends for it
cannot diverge. Lane and Turn here are views of rows, named after the words that the templates use.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.urls import reverse

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, Offer
from chat.conversations.context import Estimate, estimate
from chat.conversations.history import Path, Window, window
from chat.conversations.models import LETTERS, Conversation, Lane, Message
from chat.conversations.parameter_form import ParameterForm, Target
from chat.keys.choose import KeyChoice, usable_keys_by_endpoint
from chat.local import supervisor as local_model
from chat.markdown import render
from chat.markdown.stored import stored
from chat.parameters import differing
from chat.providers.requests import EndpointKind
from chat.runs.models import Run, text_of_chunks

TEXT_LIMIT = 200_000


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """What the head of a lane says about its model. Prices are US dollars per million tokens."""

    provider: str = ""
    context_length: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    parameters_set: int = 0
    state: str = ""
    is_local: bool = False


@dataclass(slots=True)
class TurnView:
    """One row of one lane. ``asked`` is false where the turn went to other lanes only."""

    row: int
    user: Message | None = None
    answer: Message | None = None
    can_ask: bool = False

    @property
    def asked(self) -> bool:
        return self.user is not None or self.answer is not None


@dataclass(slots=True)
class LaneView:
    """One lane as the page shows it; what it does not define is read from the row."""

    lane: Lane
    letter: str
    facts: LaneFacts
    turns: list[TurnView] = field(default_factory=list)
    earlier_url: str = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.lane, name)


@dataclass(frozen=True, slots=True)
class KeyOption:
    """A key that could pay, for the composer's choice."""

    ref: str
    label: str
    last_four: str
    selected: bool


@dataclass(frozen=True, slots=True)
class Composer:
    """What the composer shows beside the text."""

    client_id: str
    live: int
    context_used: int
    context_length: int | None
    too_long: bool
    most_it_costs: Decimal | None
    keys: list[KeyOption]
    key_notice: str
    text_limit: int = TEXT_LIMIT
    errors: tuple[str, ...] = ()


def conversation_context(
    user: User, conversation: Conversation, before: int | None = None, live: bool = False
) -> dict[str, Any]:
    """Everything below a conversation's header. ``live``: unfinished answers are left empty for a snapshot to fill."""
    lanes = list(Lane.objects.live().filter(conversation=conversation).select_related("endpoint"))
    endpoints = {lane.endpoint_id: lane.endpoint for lane in lanes if lane.endpoint is not None}
    keys = usable_keys_by_endpoint(user, endpoints.values())
    offers = list(Offer.objects.for_choices(lane.choice for lane in lanes))
    shown = window(lanes, before)
    if not live:
        _fill_unfinished(shown)
    views = [_lane_view(lane, index, shown, offers, keys, conversation) for index, lane in enumerate(lanes)]
    return {
        "conversation": conversation,
        "lanes": views,
        "differences": lane_differences(views),
        "composer": _composer(conversation, lanes, shown, offers, keys),
        "user": user,
    }


def unfinished_answers(context: dict[str, Any], row: int | None = None) -> dict[int, int]:
    """The answers in a context, or in one row of it, whose end is not stored yet: message ids by run id."""
    answers = (turn.answer for lane in context["lanes"] for turn in lane.turns if row in (None, turn.row))
    return {a.run.pk: a.pk for a in answers if a is not None and a.run is not None and not a.run.is_settled}


def show_html(message: Message) -> None:
    """Make the stored HTML of an answer fit for a template."""
    message.html = stored(message.html)
    if message.run is not None:
        message.run.html = stored(message.run.html)
        message.run.reasoning_html = stored(message.run.reasoning_html)


def lane_differences(lanes: list[LaneView]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Settings in which lanes differ, each with every lane's letter and value."""
    if len(lanes) < 2:
        return []
    rows = list(differing([lane.lane.parameters for lane in lanes]))
    named: list[tuple[str, list[str]]] = [(label, list(values)) for label, values in rows]
    for label, values in (
        ("Provider", [lane.lane.provider or "automatic" for lane in lanes]),
        ("System prompt", ["set" if lane.lane.system_prompt else "–" for lane in lanes]),
    ):
        if len(set(values)) > 1:
            named.append((label, values))
    return [
        (label, [(lane.letter, value) for lane, value in zip(lanes, values, strict=True)]) for label, values in named
    ]


def _lane_view(
    lane: Lane,
    index: int,
    shown: Window,
    offers: list[Offer],
    keys: dict[int, list[KeyChoice]],
    conversation: Conversation,
) -> LaneView:
    path = shown.paths[lane.pk]
    turns = [_turn_view(path, row) for row in shown.rows]
    for turn in turns:
        for message in (turn.user, turn.answer):
            if message is not None:
                show_html(message)
    earlier = f"{reverse('earlier', args=[conversation.pk])}?before={shown.rows[0]}" if shown.earlier else ""
    return LaneView(lane, LETTERS[index], _facts(lane, lane.choice.best_offer(offers), keys), turns, earlier)


def _turn_view(path: Path, row: int) -> TurnView:
    view = TurnView(row, can_ask=path.last_row is None or row > path.last_row)
    for message in path.messages.get(row, ()):
        if message.role == Message.Role.USER:
            view.user = message
        else:
            view.answer = message
    return view


def _facts(lane: Lane, offer: Offer | None, keys: dict[int, list[KeyChoice]]) -> LaneFacts:
    endpoint, local = lane.endpoint, local_model.status()
    is_local = endpoint is not None and endpoint.is_local
    return LaneFacts(
        provider=lane.provider or (endpoint.label if endpoint and not endpoint.is_router else ""),
        context_length=offer.context_length if offer else local.context_length if is_local else None,
        input_price=offer.input_price if offer else None,
        output_price=offer.output_price if offer else None,
        parameters_set=len(lane.parameters),
        state=_state(endpoint, keys, local),
        is_local=is_local,
    )


def _state(endpoint: Endpoint | None, keys: dict[int, list[KeyChoice]], local: local_model.Status) -> str:
    if endpoint is None or not endpoint.enabled:
        return "failed"
    if endpoint.is_local:
        return "" if local.state == "ready" else "starting" if local.state == "starting" else "failed"
    return "" if keys.get(endpoint.pk) else "no key"


def _composer(
    conversation: Conversation, lanes: list[Lane], shown: Window, offers: list[Offer], keys: dict[int, list[KeyChoice]]
) -> Composer:
    estimates = [_estimate(lane, shown, offers, conversation.composer_text) for lane in lanes]
    # The lane that is nearest to its limit speaks for all.
    fullest = max(estimates, key=lambda e: e.used / e.length if e.length else 0.0, default=Estimate(0, None, None))
    costs = [e.most_cost for e in estimates if e.most_cost is not None]
    paying = next((lane for lane in lanes if lane.endpoint is not None and lane.endpoint.needs_key), None)
    missing = any(lane.endpoint is not None and not keys.get(lane.endpoint.pk) for lane in lanes)
    return Composer(
        client_id=uuid4().hex,
        live=Run.objects.active().filter(topic=conversation.topic).count(),
        context_used=fullest.used,
        context_length=fullest.length,
        too_long=any(e.too_long for e in estimates),
        most_it_costs=sum(costs, Decimal(0)) if costs else None,
        keys=_key_options(paying, keys),
        key_notice="Needs a key" if missing else "",
    )


def _estimate(lane: Lane, shown: Window, offers: list[Offer], typed: str) -> Estimate:
    path = [message for row in shown.rows for message in shown.paths[lane.pk].messages.get(row, ())]
    local = lane.endpoint is not None and lane.endpoint.is_local
    fallback = local_model.status().context_length if local else None
    return estimate(lane, path, lane.choice.best_offer(offers), typed, fallback)


def _key_options(lane: Lane | None, keys: dict[int, list[KeyChoice]]) -> list[KeyOption]:
    if lane is None or lane.endpoint is None:
        return []
    usable = keys.get(lane.endpoint.pk, [])
    refs = [key.ref for key in usable]
    chosen = lane.key_ref if lane.key_ref in refs else next(iter(refs), "")
    return [KeyOption(key.ref, key.label, key.last_four, key.ref == chosen) for key in usable]


def _fill_unfinished(shown: Window) -> None:
    """Give answers that are still being written what the journal has of them."""
    messages = [m for path in shown.paths.values() for found in path.messages.values() for m in found]
    for run in (m.run for m in messages if m.run is not None and not m.run.is_settled):
        text, reasoning = text_of_chunks(run.chunks.all())
        run.html = render(run.prefix + text) if run.prefix + text else ""
        run.reasoning_html = render(reasoning) if reasoning else ""


def drawer_context(user: User, lane: Lane, data: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The parameter drawer of one lane, with what was typed into it if anything was."""
    context = conversation_context(user, lane.conversation, live=True)
    views: list[LaneView] = context["lanes"]
    place = next(index for index, view in enumerate(views) if view.pk == lane.pk)
    view = views[place]
    room = view.facts.context_length - context["composer"].context_used if view.facts.context_length else None
    kind = EndpointKind(lane.endpoint.kind) if lane.endpoint is not None else None
    return {
        "lane": view,
        "lanes": views,
        "previous_pk": views[place - 1].pk if place > 0 else None,
        "next_pk": views[place + 1].pk if place + 1 < len(views) else None,
        "parameters": ParameterForm(lane.parameters, data, Target(kind, room)),
        "form_errors": [],
    }
