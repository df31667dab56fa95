"""Waits for something that happens elsewhere, and says what it waited for when it does not."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PATIENCE_SECONDS = 10.0


async def eventually(
    holds: Callable[[], bool] | Callable[[], Awaitable[bool]], within: float = PATIENCE_SECONDS
) -> None:
    """Return once ``holds()`` is true; fail after ``within`` seconds."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        result = holds()
        if await result if inspect.isawaitable(result) else result:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"This did not come true within {within} s: {inspect.getsource(holds).strip()}")
        await asyncio.sleep(0.02)
