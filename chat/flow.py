"""Flow control for one socket: numbers frames and waits while the page has too many unacknowledged.

The server's own send has no backpressure: a socket that never reads would take all it is sent into memory. Used by
the consumer only.
"""

import asyncio
from collections import OrderedDict

MAX_FRAMES = 8
MAX_BYTES = 256_000


class FlowControl:
    """Counts what is under way to one page. Sizes are characters, near enough to bytes for a bound."""

    def __init__(self) -> None:
        self._last = 0
        self._under_way: OrderedDict[int, int] = OrderedDict()
        self._room = asyncio.Event()
        self._room.set()

    def number(self, html: str) -> str:
        """The frame as it is sent: a comment with its number, which the page returns, then the HTML."""
        self._last += 1
        self._under_way[self._last] = len(html)
        self._update()
        return f"<!--f:{self._last}-->{html}"

    def acknowledge(self, frame: int) -> None:
        """The page has applied this frame and all before it."""
        while self._under_way and next(iter(self._under_way)) <= frame:
            self._under_way.popitem(last=False)
        self._update()

    async def room(self) -> None:
        """Wait until another frame may be sent."""
        await self._room.wait()

    def _update(self) -> None:
        if len(self._under_way) < MAX_FRAMES and sum(self._under_way.values()) < MAX_BYTES:
            self._room.set()
        else:
            self._room.clear()
