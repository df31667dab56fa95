"""The socket of a conversation page: what it asks goes to ``verbs``, what happens comes back through its pump.

Handlers validate and call; none of them waits for a model, so Stop never waits either. Rights are checked on every
frame that asks for something, not only on joining.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from autobahn.exception import Disconnected
from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from chat.accounts import sockets
from chat.accounts.models import User
from chat.conversations import frames, verbs
from chat.conversations.errors import Refused
from chat.conversations.models import open_chat
from chat.database import AWAY, in_database
from chat.pump import Pump

NOT_FOUND = 4404
TOO_MANY = 4429
INTERNAL_ERROR = 1011
# Above the longest text a form takes, whatever its characters weigh in JSON, and below the server's own limit.
MAX_CHARACTERS = 900_000
# Longer than any stamp: what is longer is none, and waits its turn in memory.
STAMP_LENGTH = 64
GONE = "That is not there any more. Reload the page to see what is."
BUSY = "The database did not answer in time. Try again."
logger = logging.getLogger(__name__)


class SocketConsumer(AsyncWebsocketConsumer):
    """What all sockets have in common: their loop."""

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        """Handle one message after another until the socket ends, however it ends: not every end comes as a
        disconnect, and what stayed behind would count as open for ever.

        Channels' own loop waits on a channel layer too, which no consumer here sits on, and visits a database thread
        for each message, which calls to the database do by themselves.
        """
        self.scope, self.base_send = scope, send
        try:
            while True:
                message = await receive()
                await getattr(self, get_handler_name(message))(message)
        except StopConsumer:
            return
        finally:
            self._leave()

    def _leave(self) -> None:
        """Leave nothing behind."""


class NowhereConsumer(SocketConsumer):
    """Any address that has no socket: closed with 4404, where pages do not try again."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(code=NOT_FOUND)


class ChatConsumer(SocketConsumer):
    """One page on one conversation. Close codes: 4401 not signed in, 4404 not yours, 4429 too many sockets."""

    async def connect(self) -> None:
        self.conversation_id = self.scope["url_route"]["kwargs"]["conversation_id"]
        self.session_key = self.scope["session"].session_key or ""
        self.registration: sockets.OpenSocket | None = None
        self.pump: Pump | None = None
        await self.accept()
        user: User | AnonymousUser = self.scope["user"]
        if isinstance(user, AnonymousUser):
            await self.close(code=sockets.SESSION_ENDED)
        else:
            await self._open(user)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One JSON object from the page: an acknowledgement, a hello, or something to do."""
        fields = _parse(text_data)
        if self.pump is None or fields is None:
            return
        match fields.get("action"):
            case "ack":
                self.pump.flow.acknowledge(_whole_number(fields.get("frame")))
            case "hello" if await self._session_holds():
                self.pump.greet(str(fields.get("stamp", ""))[:STAMP_LENGTH])
            case str(action):
                await self._perform(self.pump, action, fields)

    async def _perform(self, pump: Pump, action: str, fields: dict[str, Any]) -> None:
        try:
            done = await in_database(self._perform_if_allowed, action, fields)
        except Refused as refusal:
            pump.reply(frames.errors_frame((refusal.sentence,)))
        except Http404:
            pump.reply(frames.errors_frame((GONE,)))
        except AWAY as error:
            # Its name is whatever a page called it.
            known = action if action in verbs.HANDLERS else "Something unknown"
            logger.warning("%s could not be done: %s", known, error)
            pump.reply(frames.errors_frame((BUSY,)))
        else:
            if done is None:
                await self.close(code=sockets.SESSION_ENDED)
            else:
                pump.reply(frames.done_frame(done.receipt, done.toast, done.composer_text))

    def _perform_if_allowed(self, action: str, fields: dict[str, Any]) -> verbs.Done | None:
        """In one visit to the database: whether the person may still be here, and what they ask."""
        if not sockets.session_is_valid(self.user.pk, self.session_key):
            return None
        return verbs.perform(self.user, self.conversation_id, action, fields)

    async def _open(self, user: User) -> None:
        """Registered first: a session that ends while we look at the conversation takes this socket along."""
        self.user = user
        if sockets.open_sockets(user.pk) >= settings.MAX_SOCKETS:
            await self.close(code=TOO_MANY)
            return
        self.registration = sockets.register(user.pk, self.session_key, self._end)
        conversation = await in_database(open_chat, user, self.conversation_id)
        if conversation is None:
            await self.close(code=NOT_FOUND)
        elif await self._session_holds():
            self.pump = Pump(user, conversation, self._send_frame)
            self.pump.follow()
            self.pumping = asyncio.create_task(self._keep_pumping(self.pump))

    async def _session_holds(self) -> bool:
        """Whether the person may still be here; closes the socket where not."""
        holds = await sockets.still_allowed(self.user.pk, self.session_key)
        if not holds:
            await self.close(code=sockets.SESSION_ENDED)
        return holds

    async def _keep_pumping(self, pump: Pump) -> None:
        try:
            await pump.run()
        except Disconnected:
            # The page is gone; the server tells disconnect() a moment later.
            return
        except Exception:
            logger.exception("A page could not be kept up to date; it will connect anew.")
            await self.close(code=INTERNAL_ERROR)

    async def _send_frame(self, frame: str) -> None:
        await self.send(text_data=frame)

    def _leave(self) -> None:
        if self.registration is not None:
            self.registration.release()
        if self.pump is not None:
            self.pumping.cancel()
            self.pump.leave()

    def _end(self, code: int) -> None:
        self.ending = asyncio.ensure_future(self.close(code=code))


def _parse(text: str | None) -> dict[str, Any] | None:
    """The fields of a frame from the page, or None for what no page of ours sends."""
    if text is None or len(text) > MAX_CHARACTERS:
        return None
    with contextlib.suppress(ValueError, RecursionError):
        fields = _storable(json.loads(text))
        return fields if isinstance(fields, dict) else None
    return None


def _storable(value: Any) -> Any:
    """The same with U+FFFD for halves of surrogate pairs, which JSON can spell (RFC 8259 8.2) and UTF-8 cannot."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return value


def _whole_number(value: object) -> int:
    return value if isinstance(value, int) else 0
