"""Announcements: small events sent to whoever follows a topic, here and in the other processes.

The only place that delivers them. Losing any event is harmless by design: a socket that connects or says hello
is shown the state as the database has it, and where events of other processes were lost all pages are. Texts never
come through here; watchers read drafts.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from typing import Any, get_args

from chat import relay

# Where something was lost more is lost, by others too; all of it is made good at once, one page after the other.
LOSS_SECONDS = 0.5
BETWEEN_PAGES_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A draft for this run exists in this process, to be watched from now on."""

    run_id: int


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run's final state is in the database."""

    run_id: int


@dataclass(frozen=True, slots=True)
class TurnAdded:
    """New messages stand at the end of some lanes."""

    turn_id: int


@dataclass(frozen=True, slots=True)
class LanesChanged:
    """Lanes or the paths through them are not what they were."""


@dataclass(frozen=True, slots=True)
class SettingsChanged:
    """System prompts, parameters or keys of lanes changed; their messages did not."""


@dataclass(frozen=True, slots=True)
class ChatListChanged:
    """The list of chats of a person looks different now."""


@dataclass(frozen=True, slots=True)
class ChatMarked:
    """One chat of a person is at work, or unread, or no longer; it stands where it stood."""

    topic: str


@dataclass(frozen=True, slots=True)
class RelayChanged:
    """Other processes are heard again, or no longer."""


Event = RunStarted | RunEnded | TurnAdded | LanesChanged | SettingsChanged | ChatListChanged | ChatMarked | RelayChanged
Receive = Callable[[Event], None]
EVENTS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}

_subscribers: dict[str, dict[Receive, asyncio.AbstractEventLoop]] = defaultdict(dict)
_lock = threading.Lock()
_loss: asyncio.TimerHandle | None = None


def user_topic(user_id: int) -> str:
    """Where a person's own list of chats is announced."""
    return f"user.{user_id}"


def subscribe(topic: str, receive: Receive) -> None:
    """Call ``receive`` on this event loop for each event of ``topic``; it must return at once."""
    with _lock:
        _subscribers[topic][receive] = asyncio.get_running_loop()


def unsubscribe(topic: str, receive: Receive) -> None:
    with _lock:
        _subscribers[topic].pop(receive, None)
        if not _subscribers[topic]:
            del _subscribers[topic]


def publish(topic: str, event: Event) -> None:
    """Deliver ``event`` to the followers of ``topic`` in all processes; callable from any thread."""
    deliver(topic, event)
    relay.tell("event", [topic, type(event).__name__, *astuple(event)])


def deliver(topic: str, event: Event) -> None:
    """Deliver ``event`` to the followers of ``topic`` in this process; callable from any thread."""
    with _lock:
        followers = list(_subscribers.get(topic, {}).items())
    _hand_over(followers, event)


def deliver_to_all(event: Event) -> None:
    """Deliver ``event`` to every follower in this process, whatever the topic."""
    _hand_over(_everybody().items(), event)


def _everybody() -> dict[Receive, asyncio.AbstractEventLoop]:
    with _lock:
        return {receive: loop for topic in _subscribers.values() for receive, loop in topic.items()}


def _hand_over(followers: Iterable[tuple[Receive, asyncio.AbstractEventLoop]], event: Event) -> None:
    for receive, loop in followers:
        if not loop.is_closed():
            loop.call_soon_threadsafe(receive, event)


@relay.listen("event")
def _hear(sender: int, words: list[Any]) -> None:
    topic, kind, *fields = words
    deliver(topic, EVENTS[kind](*fields))


@relay.on_loss
def _plan_to_make_good(sender: int) -> None:
    global _loss
    if _loss is None or _loss.when() < asyncio.get_running_loop().time():
        _loss = asyncio.get_running_loop().call_later(LOSS_SECONDS, _make_good)


def _make_good() -> None:
    """Bring every page up to date. All at once would keep a busy process from anything else."""
    loop = asyncio.get_running_loop()
    for place, receive in enumerate(_everybody()):
        for event in (LanesChanged(), ChatListChanged()):
            loop.call_later(place * BETWEEN_PAGES_SECONDS, receive, event)


@relay.on_change
def _tell_of_change() -> None:
    deliver_to_all(RelayChanged())
