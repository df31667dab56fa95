"""HTML frames for the socket: the page's own partials, wrapped so that htmx swaps them by id.

Each function returns text made of top-level elements that carry ``hx-swap-oob``. Those that read the database are
called through ``database_sync_to_async``; the live ones below work from drafts on the event loop.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.template.loader import get_template, render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chat.accounts.models import User
from chat.conversations.composer import composer_meter, live_lanes
from chat.conversations.history import answers_with_siblings, next_row
from chat.conversations.models import Conversation, Turn
from chat.conversations.presenting import (
    conversation_context,
    settings_context,
    show_html,
    turn_context,
    unfinished_answers,
)
from chat.conversations.sidebar import chat_list
from chat.runs.draft import Draft
from chat.runs.models import Run

PARTIALS = "chat/conversations/"
# The name of a partial's root element: nothing of anybody's choosing stands before its end.
_ROOT = re.compile(r"\A\s*<[a-z][a-z0-9]*")


@dataclass(frozen=True, slots=True)
class Toast:
    """A line that says what was done; ``undo_url`` takes it back."""

    text: str
    undo_url: str = ""
    seconds: int = 10


@dataclass(frozen=True, slots=True)
class Scene:
    """A frame, and the unfinished answers that it shows with empty bodies: message ids by run id.

    ``is_whole``: it is all that the page shows from now on; else it is added. ``last_row`` is the lowest on the page.
    ``ended``: the run whose end it shows.
    """

    html: str
    unfinished: dict[int, int] = field(default_factory=dict)
    last_row: int | None = None
    is_whole: bool = False
    ended: int | None = None


NOTHING = Scene("")


def swap(target: str, html: str, how: str = "innerHTML") -> SafeString:
    """An element whose children htmx puts at ``target``, a CSS selector. Text that is not marked safe is escaped."""
    return format_html('<div hx-swap-oob="{}:{}">{}</div>', how, target, html)


def joined(pieces: Iterable[str]) -> SafeString:
    """Rendered pieces one after the other; what is not marked safe is escaped."""
    return format_html_join("", "{}", ((piece,) for piece in pieces))


def replace_by_id(html: str) -> str:
    """A partial whose root has an id, marked to take the place of the element with that id."""
    return _ROOT.sub(lambda root: f'{root[0].lstrip()} hx-swap-oob="true"', html, count=1)


def lanes_scene(user: User, conversation: Conversation) -> Scene:
    """All lanes and what depends on them, for a page whose lanes are not what they were."""
    context = conversation_context(user, conversation, live=True)
    return Scene(_all_lanes(context), unfinished_answers(context), _last_row(context), is_whole=True)


def standing_scene(conversation: Conversation) -> Scene:
    """Nothing new, for a page that shows all lanes as they are: what it goes on from."""
    unsettled = Run.objects.unsettled().filter(topic=conversation.topic, message__isnull=False)
    unfinished = dict(unsettled.values_list("pk", "message__pk"))
    return Scene("", unfinished, next_row(conversation) - 1, is_whole=True)


def settings_frame(user: User, conversation: Conversation) -> str:
    """What shows the settings of lanes: their heads and system prompts, the differences, the composer's figures."""
    context = settings_context(user, conversation)
    parts = [_partial(name, context) for name in ("_differences", "_composer_key", "_composer_meter")]
    for lane in context["lanes"]:
        parts.extend(_partial(name, {**context, "lane": lane}) for name in ("_lane_head", "_system_prompt"))
    return "".join(parts)


def news_frame(user: User, conversation: Conversation) -> str:
    """The same for a page without a socket: unfinished answers hold what the journal has of them."""
    lanes = _all_lanes(conversation_context(user, conversation))
    return lanes + chat_list_frame(user, conversation.pk) + header_frame(conversation)


def earlier_frame(user: User, conversation: Conversation, before: int) -> str:
    """The rows above those that a page shows, put between each lane's head and its first row."""
    context = conversation_context(user, conversation, before)
    parts: list[str] = []
    for lane in context["lanes"]:
        cells = [render_to_string(f"{PARTIALS}_turn.html", {**context, "lane": lane, "turn": t}) for t in lane.turns]
        link = render_to_string(f"{PARTIALS}_earlier.html", {"lane": lane})
        parts.append(swap(f"#earlier-{lane.pk}", joined(cells), "afterend"))
        parts.append(replace_by_id(link))
    return "".join(parts)


def composer_meter_frame(conversation: Conversation, *, ask_keys: bool = False) -> str:
    return _partial(
        "_composer_meter", {"composer": composer_meter(conversation, live_lanes(conversation), ask_keys=ask_keys)}
    )


def turn_scene(conversation: Conversation, turn: Turn) -> Scene:
    """The cells of a new turn at the end of every lane."""
    context = turn_context(conversation, turn)
    cells: list[str] = []
    for lane in context["lanes"]:
        for view in lane.turns:
            html = render_to_string(f"{PARTIALS}_turn.html", {**context, "lane": lane, "turn": view})
            cells.append(swap(f"#lane-{lane.pk}-turns", html, "beforeend"))
    # Others that are new come with their own turns: until then the page has no place for what they write.
    return Scene("".join(cells), unfinished_answers(context), turn.row)


def ended_answer(run_id: int, whole: bool) -> str:
    """The end of an answer: its foot and notice, or the whole article where the page has not followed it."""
    parts: list[str] = []
    for message in answers_with_siblings(run_id):
        show_html(message)
        names = ["_answer"] if whole else ["_answer_foot", "_answer_notice", "_tool_calls"]
        if not whole and message.run is not None and message.run.has_reasoning:
            names.append("_reasoning_label")
        parts.extend(_partial(name, {"message": message, "run": message.run}) for name in names)
    return "".join(parts)


def chat_list_frame(user: User, open_chat: UUID) -> str:
    """The list of chats, with the one marked that the page shows."""
    return replace_by_id(
        render_to_string("chat/_chat_list.html", {**chat_list(user), "conversation": {"pk": open_chat}})
    )


def chat_mark_frame(chat: Conversation) -> str:
    """The mark of one chat in the list, as it was ``listed``. A page that does not list it puts it where nobody looks:
    htmx complains of a place that is not there."""
    mark = render_to_string("chat/_sidebar_mark.html", {"item": chat})
    return swap(f"#chat-mark-{chat.pk}, #chat-mark-elsewhere", mark)


def header_frame(conversation: Conversation) -> str:
    """What the list of chats decides of a page's header: its title and whether it is pinned."""
    return "".join(_partial(name, {"conversation": conversation}) for name in ("_page_title", "_header_pin"))


def done_frame(receipt: str, toast: Toast | None, composer_text: str | None) -> str:
    """What the page that asked for something is told about it."""
    parts = [receipt_frame(receipt) if receipt else ""]
    if toast is not None:
        parts.append(toast_frame(toast))
    if composer_text is not None:
        parts.append(_partial("_composer_text_back", {"text": composer_text}))
    return "".join(parts)


def relay_frame(is_away: bool) -> str:
    """Whether what happens in other serving processes reaches the page just now."""
    return _partial("_relay", {"relay_is_away": is_away})


def toast_frame(toast: Toast) -> str:
    return swap("#toasts", render_to_string("_toast.html", {"toast": toast}), "beforeend")


def receipt_frame(client_id: str) -> str:
    """Tells the composer that its message was taken, and clears what it said before."""
    return _partial("_composer_receipt", {"receipt": client_id}) + errors_frame(())


def picker_error_frame(error: str) -> str:
    return replace_by_id(render_to_string("chat/catalogue/_picker_error.html", {"error": error}))


def errors_frame(errors: tuple[str, ...]) -> str:
    return _partial("_composer_errors", {"composer": {"errors": errors}})


@dataclass(frozen=True, slots=True)
class LiveRun:
    """What the partials under an answer read of a run, taken from its draft. ``cost`` is known at the end only."""

    pk: int
    status: str
    first_token_seconds: float | None
    tokens_per_second: float | None
    reasoning_seconds: float | None
    tool_calls: list[dict[str, Any]]
    notice: str
    has_reasoning: bool
    reasoning_html: str = ""
    is_active: bool = True
    cost: None = None
    usage_estimated: bool = False
    billed_by_hour: bool = False

    @classmethod
    def of(cls, draft: Draft) -> "LiveRun":
        meter = draft.meter()
        return cls(
            pk=draft.run_id,
            status="streaming" if draft.streaming else "queued",
            first_token_seconds=meter.first_token_seconds,
            tokens_per_second=meter.tokens_per_second,
            reasoning_seconds=draft.reasoning_seconds() if draft.text_began else None,
            tool_calls=draft.tool_calls_json(),
            notice=draft.notice,
            has_reasoning=draft.has_reasoning,
        )


def live_partial(name: str, draft: Draft, message_id: int) -> str:
    return _partial(name, {"run": LiveRun.of(draft), "message": {"pk": message_id}})


def _last_row(context: dict[str, Any]) -> int | None:
    return max((turn.row for lane in context["lanes"] for turn in lane.turns), default=None)


def _all_lanes(context: dict[str, Any]) -> str:
    names = ("_lanes", "_lane_tabs", "_differences", "_composer_to", "_composer_key", "_composer_meter")
    return "".join(_partial(name, context) for name in (*names, "_header_add", "_header_menu"))


def _partial(name: str, context: dict[str, Any]) -> str:
    return replace_by_id(get_template(f"{PARTIALS}{name}.html").render(context))
