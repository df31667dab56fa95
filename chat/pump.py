"""Sends everything that one conversation page is shown: a task that renders changes and reads live drafts.

It works at its own pace, at most one frame every 40 ms, and keeps a cursor into each draft instead of being fed. The
consumer starts it, hands it replies, and ends it with the socket.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ParamSpec
from uuid import UUID

from chat import metrics
from chat.accounts.models import User
from chat.conversations import frames, list_actions
from chat.conversations.models import Conversation, Turn
from chat.conversations.watching import WatchedRun
from chat.database import in_database
from chat.flow import FlowControl
from chat.runs import broadcast, supervisor, watch
from chat.runs.broadcast import ChatListChanged, LanesChanged, RunEnded, RunStarted, SettingsChanged, TurnAdded

FRAME_SECONDS = 0.04
SLOWEST_FRAME_SECONDS = 0.1
# A page that hears nothing for 35 s takes its socket for dead.
BEAT_SECONDS = 15.0
# What a page that takes nothing may leave waiting; beyond it all of the page is sent anew, and old replies are dropped.
MOST_EVENTS = 100
MOST_REPLIES = 100
P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Hello:
    """The page says as of when it shows the chat. It waits its turn among the events, so that none falls between."""

    stamp: str


class Pump:
    """One page's output. ``send`` takes a whole frame; ``allowed`` tells whether the person may still be here.

    It is asked at least once in a beat, however much there is to send; a page whose right has ended is sent nothing.
    """

    def __init__(
        self,
        user: User,
        conversation: Conversation,
        send: Callable[[str], Awaitable[None]],
        allowed: Callable[[], Awaitable[bool]],
    ) -> None:
        self.flow = FlowControl()
        self._user = user
        self._id: UUID = conversation.pk
        self._topics = (conversation.topic, broadcast.user_topic(user.pk))
        self._send = send
        self._allowed = allowed
        self._allowed_until = time.monotonic() + BEAT_SECONDS
        self._awake = asyncio.Event()
        self._events: deque[broadcast.Event | Hello] = deque()
        self._replies: deque[str] = deque(maxlen=MOST_REPLIES)
        self._unfinished: dict[int, int] = {}
        self._watched: dict[int, WatchedRun] = {}
        self._last_row: int | None = None

    def follow(self) -> None:
        """Listen from now on; what is shown later misses nothing that happens in between."""
        for topic in self._topics:
            broadcast.subscribe(topic, self._receive)

    def leave(self) -> None:
        for topic in self._topics:
            broadcast.unsubscribe(topic, self._receive)
        self._forget_drafts()

    def reply(self, html: str) -> None:
        """Send this as soon as there is room."""
        self._replies.append(html)
        self._awake.set()

    def greet(self, stamp: str) -> None:
        """Bring a page that has just connected up to now."""
        self._receive(Hello(stamp))

    async def run(self) -> None:
        """Send what is new until cancelled, or until the person's right to it ends."""
        while True:
            silent = await self._wait()
            await self.flow.room()
            if not await self._still_allowed():
                return
            html = await self._new_html()
            if html or silent:
                await self._send(self.flow.number(html))
                metrics.FRAMES_SENT.inc()
            await asyncio.sleep(_pace())

    async def _wait(self) -> bool:
        """Until there is something to do; True where a whole beat went by without."""
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await self._awake.wait()
        except TimeoutError:
            return True
        self._awake.clear()
        return False

    async def _still_allowed(self) -> bool:
        now = time.monotonic()
        if now < self._allowed_until:
            return True
        self._allowed_until = now + BEAT_SECONDS
        return await self._allowed()

    async def _new_html(self) -> str:
        parts = []
        while self._replies:
            parts.append(self._replies.popleft())
        while self._events:
            parts.append(await self._change(self._next_event()))
        self._watch_unfinished()
        parts.extend(run.take() for run in self._watched.values())
        return "".join(parts)

    def _next_event(self) -> broadcast.Event | Hello:
        """The oldest, but the list of chats last: what else happened marks it as seen, which changes it once more."""
        event = next((event for event in self._events if event != ChatListChanged()), self._events[0])
        self._events.remove(event)
        return event

    async def _change(self, event: broadcast.Event | Hello) -> str:
        match event:
            case LanesChanged():
                return await self._show(self._all)
            case Hello(stamp=stamp):
                return await self._show(self._missed, stamp)
            case TurnAdded(turn_id=turn_id):
                return await self._show(self._turn, turn_id)
            case RunEnded(run_id=run_id):
                return await self._finish(run_id)
            case SettingsChanged():
                return await in_database(self._settings)
            case ChatListChanged():
                return await in_database(self._chat_list)
            case RunStarted():
                return ""

    async def _show(self, scene_of: Callable[P, frames.Scene], *args: P.args, **kwargs: P.kwargs) -> str:
        scene = await in_database(scene_of, *args, **kwargs)
        if scene.is_whole:
            self._forget_drafts()
            self._unfinished = {}
            self._last_row = scene.last_row
        elif scene.last_row is not None:
            self._last_row = scene.last_row
        self._unfinished.update(scene.unfinished)
        return scene.html

    async def _finish(self, run_id: int) -> str:
        watched = self._watched.pop(run_id, None)
        if self._unfinished.pop(run_id, None) is None:
            return ""
        # A draft that has not ended is not complete, whatever the database says of its run.
        if watched is None or not watched.draft.ended:
            return await in_database(self._ended, run_id, True)
        return watched.last() + await in_database(self._ended, run_id, False)

    def _watch_unfinished(self) -> None:
        for run_id, message_id in self._unfinished.items():
            draft = watch.draft_of(run_id)
            if run_id not in self._watched and draft is not None and not draft.ended:
                draft.watchers.add(self._awake.set)
                self._watched[run_id] = WatchedRun(draft, message_id)

    def _forget_drafts(self) -> None:
        for run in self._watched.values():
            run.draft.watchers.discard(self._awake.set)
        self._watched = {}

    def _receive(self, event: broadcast.Event | Hello) -> None:
        if len(self._events) >= MOST_EVENTS:
            self._events = deque((LanesChanged(), ChatListChanged()))
        # One that waits already will say as much.
        if event not in self._events:
            self._events.append(event)
        self._awake.set()

    def _conversation(self) -> Conversation | None:
        return Conversation.objects.of(self._user).filter(pk=self._id).first()

    def _seen(self) -> Conversation | None:
        conversation = self._conversation()
        if conversation is not None:
            list_actions.mark_seen(conversation)
        return conversation

    def _all(self) -> frames.Scene:
        conversation = self._seen()
        return frames.lanes_scene(self._user, conversation) if conversation is not None else frames.NOTHING

    def _missed(self, stamp: str) -> frames.Scene:
        """Only what is being written, where the page shows the rest as it is. The stamp is compared last: it is the
        proof that nothing happened before."""
        conversation = self._conversation()
        standing = frames.standing_scene(conversation) if conversation is not None else frames.NOTHING
        conversation = self._conversation()
        return standing if conversation is not None and conversation.stamp == stamp else self._all()

    def _turn(self, turn_id: int) -> frames.Scene:
        """A turn that follows what the page shows; any other comes with all lanes, unless it is there already."""
        turn = Turn.objects.filter(pk=turn_id, conversation=self._id).first()
        if turn is None or (self._last_row is not None and turn.row <= self._last_row):
            return frames.NOTHING
        conversation = self._seen()
        if conversation is None or (self._last_row is not None and turn.row > self._last_row + 1):
            return self._all()
        return frames.turn_scene(self._user, conversation, turn)

    def _chat_list(self) -> str:
        conversation = self._seen()
        header = frames.header_frame(conversation) if conversation is not None else ""
        return frames.chat_list_frame(self._user, self._id) + header

    def _settings(self) -> str:
        conversation = self._conversation()
        return frames.settings_frame(self._user, conversation) if conversation is not None else ""

    def _ended(self, run_id: int, whole: bool) -> str:
        return frames.ended_answer(self._user, run_id, whole) if self._seen() is not None else ""


def _pace() -> float:
    """Seconds until the next frame: longer while the event loop is late, so that a busy process does less."""
    engine = supervisor.engine()
    return min(FRAME_SECONDS + (4 * engine.lag if engine else 0.0), SLOWEST_FRAME_SECONDS)
