"""Sends everything that one conversation page is shown: a task that renders changes and reads live drafts.

It works at its own pace, at most one frame every 40 ms, and keeps a cursor into each draft instead of being fed. The
consumer starts it, hands it replies, and ends it with the socket.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from uuid import UUID

from chat import metrics, relay
from chat.accounts.models import User
from chat.conversations import frames, list_actions
from chat.conversations.frames import NOTHING
from chat.conversations.models import Conversation, listed_chat, open_chat, open_turn
from chat.conversations.watching import WatchedRun
from chat.database import in_database, in_database_later, in_database_soon
from chat.flow import FlowControl
from chat.runs import broadcast, supervisor, watch
from chat.runs.broadcast import (
    ChatListChanged,
    ChatMarked,
    LanesChanged,
    RelayChanged,
    RunEnded,
    RunStarted,
    SettingsChanged,
    TurnAdded,
)

# A page that hears nothing for 35 s takes its socket for dead.
BEAT_SECONDS = 15.0
# A sign of life needs no acknowledgement, and so no number.
BEAT = "<!--beat-->"
# What a page that takes nothing may leave waiting; beyond it all of the page is sent anew, and old replies are dropped.
MOST_EVENTS = 100
MOST_REPLIES = 100


@dataclass(frozen=True, slots=True)
class Hello:
    """The page says as of when it shows the chat. It waits its turn among the events, so that none falls between."""

    stamp: str


Event = broadcast.Event | Hello
OF_THE_LIST = (ChatListChanged, ChatMarked)


class Pump:
    """One page's output. ``send`` takes a whole frame; ended with the socket, when the person's right to it ends."""

    def __init__(self, user: User, conversation: Conversation, send: Callable[[str], Awaitable[None]]) -> None:
        self.flow = FlowControl()
        self._user = user
        self._id: UUID = conversation.pk
        self._topics = (conversation.topic, broadcast.user_topic(user.pk))
        self._send = send
        self._awake = asyncio.Event()
        self._events: deque[Event] = deque()
        self._replies: deque[str] = deque(maxlen=MOST_REPLIES)
        self._unfinished: dict[int, int] = {}
        self._watched: dict[int, WatchedRun] = {}
        self._last_row: int | None = None
        self._asking: asyncio.Task[frames.Scene] | None = None
        self._sent_at = time.monotonic()
        self._was_silent = False
        self._beat: asyncio.TimerHandle | None = None

    def follow(self) -> None:
        """Listen from now on; what is shown later misses nothing that happens in between."""
        for topic in self._topics:
            broadcast.subscribe(topic, self._receive)
        self._listen_for_silence()
        if relay.is_on():
            # The page may have been told otherwise by the process that it was connected to before.
            self._receive(RelayChanged())

    def leave(self) -> None:
        for topic in self._topics:
            broadcast.unsubscribe(topic, self._receive)
        self._forget_drafts()
        if self._beat is not None:
            self._beat.cancel()
        if self._asking is not None:
            self._asking.cancel()

    def reply(self, html: str) -> None:
        """Send this as soon as there is room."""
        self._replies.append(html)
        self._awake.set()

    def greet(self, stamp: str) -> None:
        """Bring a page that has just connected up to now, and its chat's mark, which no stamp covers."""
        self._receive(Hello(stamp))
        self._receive(ChatMarked(self._topics[0]))

    async def run(self) -> None:
        """Send what is new until cancelled."""
        while True:
            await self._awake.wait()
            self._awake.clear()
            await self.flow.room()
            if html := self._new_html():
                await self._send(self.flow.number(html))
                metrics.FRAMES_SENT.inc()
            elif self._was_silent:
                await self._send(BEAT)
            else:
                continue
            self._was_silent = False
            self._sent_at = time.monotonic()
            # Nothing follows a beat so soon that it must be held back.
            if html:
                await asyncio.sleep(supervisor.pace())

    def _listen_for_silence(self) -> None:
        """One timer for as long as the page is there: one for each wait would cost as much as a small frame."""
        left = self._sent_at + BEAT_SECONDS - time.monotonic()
        if left <= 0:
            self._was_silent = True
            self._awake.set()
            left = BEAT_SECONDS
        self._beat = asyncio.get_running_loop().call_later(left, self._listen_for_silence)

    def _new_html(self) -> str:
        """What is there now. What the database is still asked for comes in a later frame: no token waits for it."""
        parts = [*self._replies]
        self._replies.clear()
        if self._asking is not None and self._asking.done():
            parts.append(self._shown(self._asking.result()))
            self._asking = None
        if self._asking is None and self._events:
            event = self._next_event()
            self._asking = asyncio.create_task(self._change(event, self._takes_mark(event)))
            self._asking.add_done_callback(lambda _: self._awake.set())
        self._watch_unfinished()
        parts.extend(run.take() for run in self._watched.values())
        return "".join(parts)

    def _next_event(self) -> Event:
        """The oldest, but the list of chats last: what else happened marks it as seen, which changes it once more."""
        event = next((event for event in self._events if not isinstance(event, OF_THE_LIST)), self._events[0])
        self._events.remove(event)
        return event

    def _takes_mark(self, event: Event) -> bool:
        """Whether the mark of this chat waits as well, to be drawn with ``event``: a beginning and an end change it."""
        mark = ChatMarked(self._topics[0])
        if not isinstance(event, TurnAdded | RunEnded) or mark not in self._events:
            return False
        self._events.remove(mark)
        return True

    async def _change(self, event: Event, with_mark: bool) -> frames.Scene:
        match event:
            case LanesChanged():
                return await in_database(self._all)
            case Hello(stamp=stamp):
                return await in_database(self._missed, stamp)
            case TurnAdded(turn_id=turn_id):
                return await in_database_soon(self._with_mark, with_mark, self._turn, turn_id)
            case RunEnded(run_id=run_id) if run_id in self._unfinished:
                return await self._finish(run_id, with_mark)
            case SettingsChanged():
                return await in_database(self._settings)
            case ChatListChanged():
                return await in_database_later(self._chat_list)
            case ChatMarked(topic=topic):
                return await in_database_later(self._chat_mark, topic)
            case RelayChanged():
                return frames.Scene(frames.relay_frame(relay.is_away()))
            case RunEnded() if with_mark:
                return await in_database_later(self._chat_mark, self._topics[0])
            case RunStarted() | RunEnded():
                return NOTHING

    async def _finish(self, run_id: int, with_mark: bool) -> frames.Scene:
        watched = self._watched.get(run_id)
        # A draft that has not ended is not complete, whatever the database says of its run.
        whole = watched is None or not watched.draft.ended
        if whole:
            self._forget_draft(run_id)
            self._unfinished.pop(run_id)
        return await in_database_soon(self._with_mark, with_mark, self._ended, run_id, whole)

    def _shown(self, scene: frames.Scene) -> str:
        """Take note of what a scene brings to the page, which gives its HTML."""
        if scene.is_whole:
            self._forget_drafts()
            self._unfinished = {}
            self._last_row = scene.last_row
        elif scene.last_row is not None:
            self._last_row = scene.last_row
        self._unfinished.update(scene.unfinished)
        if scene.ended is None:
            return scene.html
        self._unfinished.pop(scene.ended, None)
        watched = self._forget_draft(scene.ended)
        return (watched.last() if watched is not None else "") + scene.html

    def _watch_unfinished(self) -> None:
        for run_id, message_id in self._unfinished.items():
            if run_id in self._watched:
                continue
            draft = watch.draft_of(run_id)
            # Whoever told of it: a text is shown in its own chat and nowhere else.
            if draft is not None and not draft.ended and draft.topic == self._topics[0]:
                draft.watchers.add(self._awake.set)
                self._watched[run_id] = WatchedRun(draft, message_id)

    def _forget_draft(self, run_id: int) -> WatchedRun | None:
        watched = self._watched.pop(run_id, None)
        if watched is not None:
            watched.draft.watchers.discard(self._awake.set)
        return watched

    def _forget_drafts(self) -> None:
        for run_id in [*self._watched]:
            self._forget_draft(run_id)

    def _receive(self, event: Event) -> None:
        if len(self._events) >= MOST_EVENTS:
            self._events = deque((LanesChanged(), ChatListChanged()))
        # One that waits already will say as much.
        if event not in self._events:
            self._events.append(event)
        self._awake.set()

    def _conversation(self) -> Conversation | None:
        return open_chat(self._user, self._id)

    def _seen(self) -> Conversation | None:
        conversation = self._conversation()
        if conversation is not None:
            list_actions.mark_seen(conversation)
        return conversation

    def _all(self) -> frames.Scene:
        conversation = self._seen()
        return frames.lanes_scene(self._user, conversation) if conversation is not None else NOTHING

    def _missed(self, stamp: str) -> frames.Scene:
        """Only what is being written, where the page shows the rest as it is. The stamp is compared last: it is the
        proof that nothing happened before."""
        conversation = self._conversation()
        standing = frames.standing_scene(conversation) if conversation is not None else NOTHING
        conversation = self._conversation()
        return standing if conversation is not None and conversation.stamp == stamp else self._all()

    def _turn(self, turn_id: int) -> frames.Scene:
        """A turn that follows what the page shows; any other comes with all lanes, unless it is there already."""
        turn = open_turn(self._user, turn_id)
        if (
            turn is None
            or turn.conversation_id != self._id
            or (self._last_row is not None and turn.row <= self._last_row)
        ):
            return NOTHING
        if self._last_row is not None and turn.row > self._last_row + 1:
            return self._all()
        list_actions.mark_seen(turn.conversation)
        return frames.turn_scene(turn.conversation, turn)

    def _with_mark(self, wanted: bool, draw: Callable[..., frames.Scene], *args: object) -> frames.Scene:
        scene = draw(*args)
        return replace(scene, html=scene.html + self._chat_mark(self._topics[0]).html) if wanted else scene

    def _chat_list(self) -> frames.Scene:
        conversation = self._seen()
        header = frames.header_frame(conversation) if conversation is not None else ""
        return frames.Scene(frames.chat_list_frame(self._user, self._id) + header)

    def _chat_mark(self, topic: str) -> frames.Scene:
        chat = listed_chat(self._user, topic)
        if chat is not None and topic in self._topics:
            list_actions.mark_seen(chat)
        return frames.Scene(frames.chat_mark_frame(chat)) if chat is not None else NOTHING

    def _settings(self) -> frames.Scene:
        conversation = self._conversation()
        return frames.Scene(frames.settings_frame(self._user, conversation)) if conversation is not None else NOTHING

    def _ended(self, run_id: int, whole: bool) -> frames.Scene:
        conversation = self._seen()
        if conversation is None:
            return frames.Scene("", ended=run_id)
        # What the next send takes is more by this answer.
        html = frames.ended_answer(run_id, whole) + frames.composer_meter_frame(conversation)
        return frames.Scene(html, ended=run_id)
