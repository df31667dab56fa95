"""Announcements: small events sent to whoever follows a topic in this process.

The only place that delivers them. Losing any event is harmless by design: a socket that connects or says hello
is shown the state as the database has it. Texts never come through here; watchers read drafts.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass


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


Event = RunStarted | RunEnded | TurnAdded | LanesChanged | SettingsChanged | ChatListChanged
Receive = Callable[[Event], None]

_subscribers: dict[str, dict[Receive, asyncio.AbstractEventLoop]] = defaultdict(dict)
_lock = threading.Lock()


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
    """Deliver ``event`` to the followers of ``topic``; callable from any thread."""
    with _lock:
        followers = list(_subscribers.get(topic, {}).items())
    for receive, loop in followers:
        if not loop.is_closed():
            loop.call_soon_threadsafe(receive, event)
