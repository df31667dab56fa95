"""The tasks that live as long as the serving process: the run engine, the relay, the catalogue, the local model.

It owns when they start and end, and that their crashes are logged. What they do is theirs. Used by ``server``.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from chat import relay
from chat.accounts import sockets
from chat.catalogue import sync
from chat.local import supervisor as local_model
from chat.notices import outbox
from chat.providers.client import close_client
from chat.runs import supervisor as runs
from chat.sign_in import renewal

logger = logging.getLogger(__name__)


class Background:
    """Started once in the loop that serves; ended in the order drain, stop."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start everything. Only the run engine must succeed; the others work at their own pace."""
        self._spawn("The local model", local_model.run_forever())
        await relay.start()
        await runs.startup()
        self._spawn("The catalogue", sync.run_forever())
        self._spawn("The watch over open sockets", sockets.watch_forever())
        self._spawn("The sending of notices", outbox.run_forever())
        self._spawn("The renewal of sign-in tokens", renewal.run_forever())

    async def drain(self, seconds: float) -> None:
        """Take no new runs and let those at work finish for so long."""
        await runs.drain(seconds)

    async def stop(self) -> None:
        """End the runs first, then what they lean on; nothing is left running if one step fails."""
        try:
            await runs.shutdown()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await relay.stop()
            await close_client()

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(_log_crash)
        self._tasks.append(task)


def _log_crash(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.error("%s stopped working.", task.get_name(), exc_info=error)
