"""The socket of a conversation page: what the page asks goes to ``verbs``, what happens comes back as HTML frames.

One task per socket, the pump, sends everything: it renders announced changes, then reads the drafts that the page
shows, at most every 40 ms. Handlers only validate and call; none of them waits for a model, so Stop never waits either.
"""

import asyncio
import contextlib
import json
import logging
from collections import deque
from typing import Any, cast

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http import Http404

from chat.accounts import sockets
from chat.accounts.models import User
from chat.conversations import frames, list_actions, verbs
from chat.conversations.errors import Refused
from chat.conversations.models import Conversation, Turn
from chat.conversations.watching import WatchedRun
from chat.flow import FlowControl
from chat.runs import broadcast, supervisor
from chat.runs.broadcast import ChatListChanged, LanesChanged, RunEnded, RunStarted, TurnAdded

NOT_FOUND = 4404
TOO_MANY = 4429
MAX_MESSAGE = 200_000 * 4
FRAME_SECONDS = 0.04
SLOWEST_FRAME_SECONDS = 0.1
BEAT_SECONDS = 15
GONE = "That is not there any more. Reload the page to see what is."
logger = logging.getLogger(__name__)


class ChatConsumer(AsyncWebsocketConsumer):
    """One page on one conversation. Close codes: 4401 not signed in, 4404 not yours, 4429 too many sockets."""

    async def connect(self) -> None:
        self.user = cast(User, self.scope["user"])
        self.conversation_id = self.scope["url_route"]["kwargs"]["conversation_id"]
        self.session_key = self.scope["session"].session_key or ""
        self.pump: asyncio.Task[None] | None = None
        await self.accept()
        refusal = await self._refusal()
        if refusal is not None:
            await self.close(code=refusal)
            return
        self._open()

    async def _refusal(self) -> int | None:
        if not self.user.is_authenticated:
            return sockets.SESSION_ENDED
        if sockets.open_sockets(self.user.pk) >= settings.MAX_SOCKETS:
            return TOO_MANY
        conversation = await database_sync_to_async(self._conversation)()
        if conversation is None:
            return NOT_FOUND
        self.topic = conversation.topic
        return None

    def _open(self) -> None:
        """Follow first, then show: nothing that happens in between is missed."""
        self.flow = FlowControl()
        self.events: deque[broadcast.Event] = deque()
        self.unfinished: dict[int, int] = {}
        self.watched: dict[int, WatchedRun] = {}
        self.replies: deque[str] = deque()
        self.awake = asyncio.Event()
        self.registration = sockets.register(self.user.pk, self.session_key, self._end)
        broadcast.subscribe(self.topic, self._receive_event)
        broadcast.subscribe(broadcast.user_topic(self.user.pk), self._receive_event)
        self.pump = asyncio.create_task(self._pump())

    async def disconnect(self, code: int) -> None:
        if self.pump is None:
            return
        self.pump.cancel()
        self.registration.release()
        broadcast.unsubscribe(self.topic, self._receive_event)
        broadcast.unsubscribe(broadcast.user_topic(self.user.pk), self._receive_event)
        for run in self.watched.values():
            run.draft.watchers.discard(self.awake.set)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One JSON object from the page: an acknowledgement, a hello, or something to do."""
        fields = _parse(text_data)
        if self.pump is None or fields is None:
            return
        match fields.get("action"):
            case "ack":
                self.flow.acknowledge(_number(fields.get("frame")))
            case "hello":
                await self._greet(str(fields.get("stamp", "")))
            case str(action):
                await self._perform(action, fields)

    async def _greet(self, stamp: str) -> None:
        """The page says what it shows. Unfinished answers get a snapshot; anything older than the database, all."""
        conversation = await database_sync_to_async(self._conversation)()
        if conversation is None:
            await self.close(code=NOT_FOUND)
            return
        self._forget_watched()
        if conversation.updated_at.isoformat() == stamp:
            self.unfinished = await database_sync_to_async(frames.unfinished_of)(conversation)
        else:
            self.events.append(LanesChanged())
        self.awake.set()

    async def _perform(self, action: str, fields: dict[str, Any]) -> None:
        if not await sockets.still_allowed(self.user.pk, self.session_key):
            await self.close(code=sockets.SESSION_ENDED)
            return
        try:
            done = await database_sync_to_async(verbs.perform)(self.user, self.conversation_id, action, fields)
        except Refused as refusal:
            self._reply(frames.errors_frame((refusal.sentence,)))
        except Http404:
            self._reply(frames.errors_frame((GONE,)))
        else:
            self._reply(frames.done_frame(done.receipt, done.toast, done.composer_text))

    def _reply(self, html: str) -> None:
        self.replies.append(html)
        self.awake.set()

    def _receive_event(self, event: broadcast.Event) -> None:
        self.events.append(event)
        self.awake.set()

    async def _pump(self) -> None:
        """Send what is new for as long as the socket is open."""
        try:
            while True:
                await self._wait()
                await self.flow.room()
                html = await self._new_html()
                if html:
                    await self.send(text_data=self.flow.number(html))
                engine = supervisor.engine()
                await asyncio.sleep(min(FRAME_SECONDS + 4 * (engine.lag if engine else 0), SLOWEST_FRAME_SECONDS))
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("A page's socket failed; the page will connect anew.")
            await self.close(code=1011)

    async def _wait(self) -> None:
        """Until something is new, or until it is time for a sign of life."""
        try:
            async with asyncio.timeout(BEAT_SECONDS):
                await self.awake.wait()
        except TimeoutError:
            if not await sockets.still_allowed(self.user.pk, self.session_key):
                await self.close(code=sockets.SESSION_ENDED)
            await self.flow.room()
            await self.send(text_data=self.flow.number(""))
        self.awake.clear()

    async def _new_html(self) -> str:
        parts = []
        while self.replies:
            parts.append(self.replies.popleft())
        parts.extend(await self._changes())
        self._watch_unfinished()
        parts.extend(run.take() for run in self.watched.values())
        return "".join(parts)

    async def _changes(self) -> list[str]:
        """Frames for the events so far. A change of all lanes makes smaller changes before it moot."""
        events = list(self.events)
        self.events.clear()
        parts: list[str] = []
        for event in dict.fromkeys(events):
            match event:
                case LanesChanged():
                    parts.append(await self._show(None))
                case TurnAdded(turn_id=turn_id):
                    parts.append(await self._show(turn_id))
                case RunEnded(run_id=run_id):
                    parts.append(await self._finish(run_id))
                case ChatListChanged():
                    parts.append(await database_sync_to_async(self._chat_list)())
                case RunStarted():
                    pass
        return parts

    async def _show(self, turn_id: int | None) -> str:
        scene = await database_sync_to_async(self._scene)(turn_id)
        if turn_id is None:
            self._forget_watched()
            self.unfinished = {}
        self.unfinished.update(scene.unfinished)
        return scene.html

    async def _finish(self, run_id: int) -> str:
        watched = self.watched.pop(run_id, None)
        shown = self.unfinished.pop(run_id, None) is not None or watched is not None
        html = watched.last() if watched is not None else ""
        if not shown:
            return ""
        return html + await database_sync_to_async(self._ended)(run_id, watched is None)

    def _watch_unfinished(self) -> None:
        for run_id, message_id in self.unfinished.items():
            draft = supervisor.draft_of(run_id)
            if run_id not in self.watched and draft is not None and not draft.ended:
                draft.watchers.add(self.awake.set)
                self.watched[run_id] = WatchedRun(draft, message_id)

    def _forget_watched(self) -> None:
        for run in self.watched.values():
            run.draft.watchers.discard(self.awake.set)
        self.watched = {}

    def _end(self, code: int) -> None:
        asyncio.ensure_future(self.close(code=code))

    def _conversation(self) -> Conversation | None:
        return Conversation.objects.of(self.user).filter(pk=self.conversation_id).first()

    def _scene(self, turn_id: int | None) -> frames.Scene:
        conversation = self._conversation()
        if conversation is None:
            return frames.Scene("", {})
        list_actions.mark_seen(conversation)
        if turn_id is None:
            return frames.lanes_scene(self.user, conversation)
        return frames.turn_scene(self.user, conversation, Turn.objects.get(pk=turn_id))

    def _ended(self, run_id: int, whole: bool) -> str:
        conversation = self._conversation()
        if conversation is not None:
            list_actions.mark_seen(conversation)
        return frames.ended_answer(self.user, run_id, whole)

    def _chat_list(self) -> str:
        return frames.chat_list_frame(self.user, self.conversation_id)


def _parse(text: str | None) -> dict[str, Any] | None:
    """The fields of a frame from the page, or None for what no page of ours sends."""
    if text is None or len(text) > MAX_MESSAGE:
        return None
    with contextlib.suppress(ValueError, RecursionError):
        fields = json.loads(text)
        return fields if isinstance(fields, dict) else None
    return None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
