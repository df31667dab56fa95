"""Keeps live text on disk: every 300 ms the new text of all drafts of this process goes into one transaction.

It runs on a thread of its own, so that neither pages nor tokens wait for the disk. What a crash can cost is one
interval of text. When the database refuses, the chunks are kept and tried again at the next tick.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import IntegrityError, close_old_connections, connection
from django.utils import timezone

from chat import metrics
from chat.database import AWAY
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
        self._next_beat = 0.0

    async def write(self) -> None:
        """One tick: take what is unsaved, beat when it is time, store. What cannot be stored waits for the next one."""
        async with self._lock:
            for draft in self._drafts():
                self._pending.extend(draft.take_unsaved())
            try:
                await self._beat()
                await self._store()
            except AWAY as error:
                logger.warning("The journal could not be written; %d pieces wait: %s", len(self._pending), error)

    async def _beat(self) -> None:
        """Apart from the chunks: what is wrong with a text says nothing about the process."""
        if time.monotonic() >= self._next_beat:
            await self._in_thread(_beat, self._process_id)
            self._next_beat = time.monotonic() + HEARTBEAT_SECONDS

    async def _store(self) -> None:
        if not self._pending:
            return
        try:
            with metrics.JOURNAL_SECONDS.time():
                await self._in_thread(_store, self._pending)
            self._pending = []
        except IntegrityError:
            # A run was deleted under its writer; without this its chunks would block all others.
            self._pending = await self._in_thread(_with_a_run, self._pending)

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
        return await asyncio.get_running_loop().run_in_executor(self._thread, _freshly, call, *args)


def _freshly(call: Callable[..., T], *args: object) -> T:
    """Call with a connection that is looked at first, as each request's is: the last one may have been dropped."""
    close_old_connections()
    return call(*args)


def _with_a_run(chunks: list[RunChunk]) -> list[RunChunk]:
    alive = set(Run.objects.filter(pk__in={chunk.run_id for chunk in chunks}).values_list("pk", flat=True))
    return [chunk for chunk in chunks if chunk.run_id in alive]


def _store(chunks: list[RunChunk]) -> None:
    # Some may be there already: a commit whose confirmation was lost is tried again.
    RunChunk.objects.bulk_create(chunks, ignore_conflicts=True)


def _beat(process_id: int) -> None:
    Process.objects.filter(pk=process_id).update(heartbeat_at=timezone.now())
    if connection.vendor == "sqlite":
        # Here, where nobody waits for the disk; writers go on meanwhile.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
