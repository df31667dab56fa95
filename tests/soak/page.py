"""A conversation page without a browser that outlives its sockets: it loads, connects, applies what comes, is dropped.

It keeps the answers' bodies as trees and changes them as htmx would; all else on the page it does not look at.
"""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import cast
from uuid import uuid4

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chat.markdown.ops import Op, Swap
from tests.markdown.dom import Element, apply, body

NUMBER = re.compile(r"<!--f:(\d+)-->")
CHANGE = re.compile(
    r'<(?P<tag>\w+) hx-swap-oob="(?P<swap>\w+):#answer-(?P<run>\d+)-body ?(?P<target>[^"]*)"'
    r'|<div class="answer-body prose" id="answer-(?P<whole>\d+)-body" hx-disable'
)
STATUS = re.compile(r'id="answer-(\d+)-foot" data-status="(\w+)"')
STAMP = re.compile(r'data-stamp="(\d+)"')
ENDED = {"done", "failed", "stopped", "interrupted"}


@dataclass(frozen=True)
class Chat:
    """A chat with one lane, and the session of its owner."""

    session: str
    id: str
    lane: int


class Page:
    """What one person sees of one chat: ``bodies`` and ``statuses`` by run."""

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self.bodies: dict[int, Element] = {}
        self.statuses: dict[int, str] = {}
        self.close_code: int | None = None
        self.characters = 0
        self._heard: list[str] = []
        self.frames = 0
        self._acknowledges = True
        self._stamp = ""
        self._cookies = {"playground_session": chat.session}
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def run(self) -> int:
        """The newest answer on the page, 0 where there is none."""
        return max(self.bodies, default=0)

    @property
    def text(self) -> str:
        """The text of the newest answer."""
        return text_of(self.bodies[self.run]) if self.bodies else ""

    @property
    def has_ended(self) -> bool:
        if self._reading is not None and self._reading.done():
            self._reading.result()
        return self.statuses.get(self.run, "") in ENDED

    async def load(self, url: str) -> None:
        """Get the page anew; what it showed before is gone."""
        async with httpx.AsyncClient(cookies=self._cookies, trust_env=False, timeout=30) as client:
            response = (await client.get(f"{url}/c/{self.chat.id}/")).raise_for_status()
        self.bodies, self.statuses = {}, {}
        self._show(response.text)

    async def connect(self, url: str, acknowledges: bool = True) -> None:
        """Open a socket and say hello with the stamp of what is shown."""
        headers = {"Origin": url, "Cookie": f"playground_session={self.chat.session}"}
        address = f"{url.replace('http', 'ws', 1)}/ws/c/{self.chat.id}/"
        self.close_code = None
        self._acknowledges = acknowledges
        self._socket = await connect(
            address, additional_headers=headers, proxy=None, max_size=None, compression=None, open_timeout=30
        )
        await self.say("hello", stamp=self._stamp)
        self._reading = asyncio.create_task(self._read(self._socket))

    async def drop(self) -> None:
        """Lose the socket in this moment, without a word to the server."""
        if self._socket is not None and self._reading is not None:
            self._socket.transport.abort()
            await self._reading

    def was_told(self, sentence: str) -> bool:
        return any(sentence in frame for frame in self._heard)

    async def go_on(self) -> None:
        """Acknowledge what came meanwhile, and all from here on."""
        self._acknowledges = True
        await self.say("ack", frame=self.frames)

    async def say(self, action: str, **fields: object) -> None:
        assert self._socket is not None
        await self._socket.send(json.dumps({"action": action, **fields}))

    async def send(self, text: str = "Count.") -> None:
        await self.say("send", text=text, client_id=uuid4().hex, lanes=[self.chat.lane])

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for frame in socket:
                self.characters += len(frame)
                self._heard.append(str(frame))
                self._show(str(frame))
                if number := NUMBER.match(str(frame)):
                    self.frames = int(number[1])
                    if self._acknowledges:
                        await self.say("ack", frame=self.frames)
        except ConnectionClosed:
            pass
        self.close_code = socket.close_code

    def _show(self, html: str) -> None:
        for change in CHANGE.finditer(html):
            element = _element_at(html, change.start())
            if change["whole"] is not None:
                self.bodies[int(change["whole"])] = body(_inside(element))
            elif (root := self.bodies.get(int(change["run"]))) is not None:
                # The element carries what it is to be put in, and stands for itself in an "outerHTML".
                whole = re.sub(' hx-swap-oob="[^"]*"', "", element, count=1)
                content = whole if change["swap"] == "outerHTML" else _inside(element)
                apply(root, Op(change["target"], cast(Swap, change["swap"]), content))
        self.statuses.update(
            (int(run), status) for run, status in STATUS.findall(html.replace(' hx-swap-oob="true"', ""))
        )
        if stamps := STAMP.findall(html):
            self._stamp = stamps[-1]


def _element_at(html: str, start: int) -> str:
    """The element that begins there, up to its own end."""
    name = re.compile(r"<\w+").match(html, start)
    assert name is not None
    depth = 0
    for tag in re.compile(rf'</?{name[0][1:]}\b(?:[^">]|"[^"]*")*>').finditer(html, start):
        depth += -1 if tag[0].startswith("</") else 1
        if depth == 0:
            return html[start : tag.end()]
    raise AssertionError("an element has no end")


def _inside(element: str) -> str:
    opening = re.match(r'<(?:[^">]|"[^"]*")*>', element)
    assert opening is not None
    return element[opening.end() : element.rindex("</")]


def text_of(element: Element) -> str:
    return "".join(child if isinstance(child, str) else text_of(child) for child in element.children)
