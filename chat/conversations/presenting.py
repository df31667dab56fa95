"""What the templates of a conversation are given: lanes, turns, composer and differences as plain values.

Reads the database and renders nothing; views and frames share it, so that a page and what the socket sends for it
cannot diverge. Lane and Turn here are views of rows, named after the words that the templates use.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.urls import reverse

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, Offer
from chat.conversations.composer import Known, composer, live_lanes
from chat.conversations.history import Path, Window, recent_paths, turn_window, window
from chat.conversations.models import LETTERS, Conversation, Lane, Message, Turn
from chat.conversations.parameter_form import ParameterForm, Target
from chat.keys.choose import KeyChoice
from chat.local import supervisor as local_model
from chat.markdown import render
from chat.markdown.stored import stored
from chat.parameters import differing
from chat.providers.requests import EndpointKind
from chat.runs import supervisor
from chat.runs.models import text_of_chunks


@dataclass(frozen=True, slots=True)
class LaneFacts:
    """What the head of a lane says about its model. Prices are US dollars per million tokens."""

    provider: str = ""
    context_length: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    billed_by_hour: bool = False
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


def conversation_context(
    user: User,
    conversation: Conversation,
    before: int | None = None,
    live: bool = False,
    since: int | None = None,
) -> dict[str, Any]:
    """Everything below a conversation's header, of the rows that ``window`` shows.

    ``live``: unfinished answers of this process are left empty for a snapshot to fill.
    """
    known = Known.of(user, conversation)
    shown = window(known.lanes, before, since)
    _fill_unfinished(shown, live)
    return _context(user, conversation, known, shown, shown.messages())


def settings_context(user: User, conversation: Conversation) -> dict[str, Any]:
    """The same without turns."""
    known = Known.of(user, conversation)
    return _context(user, conversation, known, Window.empty(known.lanes), recent_paths(known.lanes))


def turn_context(conversation: Conversation, turn: Turn) -> dict[str, Any]:
    """The lanes with nothing but a new turn in each."""
    lanes = live_lanes(conversation)
    shown = turn_window(lanes, turn)
    views = [
        LaneView(lane, letter, LaneFacts(), _turns(shown, lane)) for letter, lane in zip(LETTERS, lanes, strict=False)
    ]
    return {"lanes": views}


def _context(
    user: User, conversation: Conversation, known: Known, shown: Window, paths: dict[int, list[Message]]
) -> dict[str, Any]:
    views = [_lane_view(lane, index, shown, known, conversation) for index, lane in enumerate(known.lanes)]
    return {
        "conversation": conversation,
        "lanes": views,
        "differences": lane_differences(views),
        "composer": composer(conversation, known, paths),
        "user": user,
    }


def unfinished_answers(context: dict[str, Any]) -> dict[int, int]:
    """The answers in a context whose end is not stored yet: message ids by run id."""
    answers = (turn.answer for lane in context["lanes"] for turn in lane.turns)
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


def _lane_view(lane: Lane, index: int, shown: Window, known: Known, conversation: Conversation) -> LaneView:
    earlier = f"{reverse('earlier', args=[conversation.pk])}?before={shown.rows[0]}" if shown.earlier else ""
    facts = _facts(lane, lane.choice.best_offer(known.offers), known.keys)
    return LaneView(lane, LETTERS[index], facts, _turns(shown, lane), earlier)


def _turns(shown: Window, lane: Lane) -> list[TurnView]:
    turns = [_turn_view(shown.paths[lane.pk], row) for row in shown.rows]
    for turn in turns:
        for message in (turn.user, turn.answer):
            if message is not None:
                show_html(message)
    return turns


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
        billed_by_hour=endpoint is not None and endpoint.billed_by_hour,
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


def _fill_unfinished(shown: Window, live: bool) -> None:
    """Give answers that are still being written what the journal has of them; ``live``: those written elsewhere."""
    messages = (message for path in shown.messages().values() for message in path)
    for run in (m.run for m in messages if m.run is not None and not m.run.is_settled):
        if live and run.process_id == supervisor.process_id():
            continue
        text, reasoning = text_of_chunks(run.chunks.all())
        run.html = render(run.prefix + text) if run.prefix + text else ""
        run.reasoning_html = render(reasoning) if reasoning else ""


def drawer_context(user: User, lane: Lane, data: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The parameter drawer of one lane, with what was typed into it if anything was."""
    context = settings_context(user, lane.conversation)
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
