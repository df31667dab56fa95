"""The socket of a page, without a browser: says hello, acknowledges frames, sends messages, counts what it is shown.

It applies frames as far as counting needs: the numbered tokens of ``bench/paced`` stand in the order in which the
page would show them, whether they were appended, drawn again or replaced.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp

SWAP = re.compile(r'hx-swap-oob="(?:true|(\w+):([^"]*))"')
TOKEN = re.compile(r"(\d+)=(\d+\.\d{4})")
NUMBER = re.compile(r"<!--f:(\d+)-->")
ACKNOWLEDGED_FRAMES, ACKNOWLEDGED_CHARACTERS, ACKNOWLEDGED_SECONDS = 4, 32_000, 0.15
ENDED = re.compile(r'data-status="(?:done|failed|stopped|interrupted)" data-status-of')


class Shown:
    """The tokens on one page. ``latencies`` are seconds from emission to arrival, one for each token."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.latencies: dict[int, float] = {}
        self.first_at = self.last_at = 0.0

    def apply(self, html: str) -> None:
        _, *pieces = SWAP.split(html)
        for how, content in zip(pieces[::3], pieces[2::3], strict=True):
            self.add(how, content)

    def add(self, how: str | None, content: str) -> None:
        now = time.monotonic()
        found = [(int(number), float(emitted)) for number, emitted in TOKEN.findall(content)]
        if not found:
            return
        self.first_at, self.last_at = self.first_at or now, now
        for number, emitted in found:
            self.latencies.setdefault(number, now - emitted)
        numbers = [number for number, _ in found]
        if how == "beforeend":
            self.tokens.extend(numbers)
        elif how == "outerHTML" and numbers[0] in self.tokens:
            self.tokens[self.tokens.index(numbers[0]) :] = numbers
        else:
            self.tokens = numbers

    @property
    def first_sent_at(self) -> float:
        """When the first token left the provider."""
        return self.first_at - next(iter(self.latencies.values()), 0.0)

    def lost(self, expected: int) -> int:
        return expected - len(set(self.tokens))

    def doubled(self) -> int:
        return len(self.tokens) - len(set(self.tokens))


class Page:
    """One open conversation page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.shown = Shown()
        self._socket = socket
        self._taken = self._acknowledged = 0
        self._timer: asyncio.Task[None] | None = None

    async def send(self, text: str, lanes: list[int]) -> None:
        fields = {"action": "send", "text": text, "client_id": uuid4().hex, "lanes": lanes}
        await self._socket.send_str(json.dumps(fields))

    async def until_taken(self) -> None:
        """Read until what was sent is in the database."""
        while "data-receipt" not in (await self._socket.receive(timeout=60)).data:
            pass

    async def until_ended(self, answers: int = 1) -> None:
        """Read until so many answers have ended."""
        while answers > 0:
            message = await self._socket.receive(timeout=60)
            if message.type != aiohttp.WSMsgType.TEXT:
                raise RuntimeError(f"The socket closed with {self._socket.close_code}.")
            self.shown.apply(message.data)
            answers -= len(ENDED.findall(message.data))
            if number := NUMBER.match(message.data):
                await self._take(int(number[1]), len(message.data))

    async def _take(self, frame: int, size: int) -> None:
        """Acknowledge as ``static/js/frames.js`` does."""
        self._taken = frame
        if frame - self._acknowledged >= ACKNOWLEDGED_FRAMES or size > ACKNOWLEDGED_CHARACTERS:
            await self._acknowledge()
        elif self._timer is None:
            self._timer = asyncio.create_task(self._acknowledge_soon())

    async def _acknowledge(self) -> None:
        self._acknowledged = self._taken
        await self._socket.send_str(f'{{"action": "ack", "frame": {self._taken}}}')

    async def _acknowledge_soon(self) -> None:
        await asyncio.sleep(ACKNOWLEDGED_SECONDS)
        self._timer = None
        if self._acknowledged < self._taken and not self._socket.closed:
            await self._acknowledge()


@asynccontextmanager
async def open_page(
    http: aiohttp.ClientSession, server_url: str, session_key: str, chat: dict[str, Any]
) -> AsyncIterator[Page]:
    """A page of a signed-in person on one chat, as ``bench.seed`` describes it."""
    address = f"{server_url.replace('http', 'ws', 1)}/ws/c/{chat['id']}/"
    headers = {"Origin": server_url, "Cookie": f"playground_session={session_key}"}
    async with http.ws_connect(address, headers=headers, max_msg_size=0) as socket:
        await socket.send_str(json.dumps({"action": "hello", "stamp": chat["stamp"]}))
        yield Page(socket)
