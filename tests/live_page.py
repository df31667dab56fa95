"""A conversation page of a served process without a browser: its socket, and the texts that its frames amount to.

It applies what one paragraph needs: bodies that are filled, and text that is appended. For anything else use a browser.
"""

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

from tests.waiting import eventually

NUMBER = re.compile(r"<!--f:(\d+)-->")
CHANGE = re.compile(
    r'<div hx-swap-oob="(?P<how>\w+):#answer-(?P<run>\d+)-body[^"]*"[^>]*>(?P<html>.*?)</div>'
    r'|id="answer-(?P<whole>\d+)-body" hx-disable>(?P<content>.*?)</div>',
    re.DOTALL,
)


class LivePage:
    """``seen`` is all that came, ``texts`` what stands on the page: the text of each answer by its run."""

    def __init__(self, socket: ClientConnection) -> None:
        self.seen = ""
        self.texts: dict[int, str] = {}
        self._socket = socket

    @property
    def text(self) -> str:
        """The text of the newest answer."""
        return self.texts[max(self.texts)] if self.texts else ""

    async def say(self, action: str, **fields: Any) -> None:
        await self._socket.send(json.dumps({"action": action, **fields}))

    async def send(self, text: str, lane: int) -> None:
        await self.say("send", text=text, client_id=uuid4().hex, lanes=str(lane))

    async def until(self, part: str, within: float = 20) -> None:
        """Wait until ``part`` came in a frame."""
        await eventually(lambda: part in self.seen, within)

    async def until_text(self, part: str, within: float = 20) -> None:
        """Wait until ``part`` stands in the newest answer."""
        await eventually(lambda: part in self.text, within)

    async def read(self) -> None:
        """Take frames and acknowledge them until the socket closes."""
        async for frame in self._socket:
            self.seen += str(frame)
            self._apply(str(frame))
            if number := NUMBER.match(str(frame)):
                await self.say("ack", frame=int(number[1]))

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code

    def _apply(self, frame: str) -> None:
        for change in CHANGE.finditer(frame):
            run = int(change["run"] or change["whole"])
            text = html.unescape(re.sub(r"<[^>]+>", "", change["html"] or change["content"] or ""))
            # A block that is drawn anew is taken for the only one.
            self.texts[run] = self.texts.get(run, "") + text if change["how"] == "beforeend" else text


@asynccontextmanager
async def live_page(url: str, session: str, chat: str) -> AsyncIterator[LivePage]:
    """The page of a signed-in person on one chat, as it is after it has said hello."""
    headers = {"Origin": url, "Cookie": f"playground_session={session}"}
    address = f"{url.replace('http', 'ws', 1)}/ws/c/{chat}/"
    async with connect(address, additional_headers=headers, proxy=None, max_size=None) as socket:
        page = LivePage(socket)
        await page.say("hello", stamp="")
        reading = asyncio.create_task(page.read())
        await page.until('id="lanes"')
        yield page
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
