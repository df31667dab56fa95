"""Keeps live text on disk: every 300 ms the new text of all drafts of this process goes into one transaction.

It runs on a thread and connection of its own, so that neither pages nor tokens wait for the disk. What a crash can
cost is one interval of text. When the database refuses, the chunks are kept and tried again at the next tick.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from chat.runs.draft import Draft
from chat.runs.models import HEARTBEAT_SECONDS, Process, Run, RunChunk

INTERVAL_SECONDS = 0.3
logger = logging.getLogger(__name__)
T = TypeVar("T")


class Journal:
    """The writer of one process. ``drafts`` gives the live drafts at each tick."""

    def __init__(self, process_id: int, drafts: Callable[[], Iterable[Draft]]) -> None:
        self._process_id = process_id
        self._drafts = drafts
        self._pending: list[RunChunk] = []
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._lock = asyncio.Lock()
        self._since_beat = HEARTBEAT_SECONDS

    async def run_forever(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            self._since_beat += INTERVAL_SECONDS
            await self.write()

    async def write(self) -> None:
        """One tick: take what is unsaved, store it, beat when it is time."""
        async with self._lock:
            for draft in self._drafts():
                self._pending.extend(draft.take_unsaved())
            beat = self._since_beat >= HEARTBEAT_SECONDS
            if not self._pending and not beat:
                return
            try:
                await self._in_thread(_store, self._process_id, self._pending, beat)
            except IntegrityError:
                # A run was deleted under its writer; without this its chunks would block all others.
                self._pending = await self._in_thread(_with_a_run, self._pending)
                return
            except DatabaseError:
                logger.warning("The journal could not be written; %d pieces wait.", len(self._pending), exc_info=True)
                return
            self._pending = []
            if beat:
                self._since_beat = 0.0

    async def release(self, draft: Draft) -> None:
        """Forget a draft that has ended: after this no chunk of it will be written, so its run can be folded."""
        async with self._lock:
            draft.take_unsaved()
            self._pending = [chunk for chunk in self._pending if chunk.run_id != draft.run_id]

    async def close(self) -> None:
        # Looked up inside the thread: every thread has a connection of its own behind this name.
        await self._in_thread(lambda: connection.close())
        self._thread.shutdown(wait=False)

    async def _in_thread(self, call: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *args)


def _with_a_run(chunks: list[RunChunk]) -> list[RunChunk]:
    alive = set(Run.objects.filter(pk__in={chunk.run_id for chunk in chunks}).values_list("pk", flat=True))
    return [chunk for chunk in chunks if chunk.run_id in alive]


def _store(process_id: int, chunks: list[RunChunk], beat: bool) -> None:
    with transaction.atomic():
        if chunks:
            RunChunk.objects.bulk_create(chunks)
        if beat:
            Process.objects.filter(pk=process_id).update(heartbeat_at=timezone.now())
