"""Starts and ends workers: one Engine in each serving process holds the live drafts and their tasks.

``start`` and ``stop`` may be called from any thread, after commit. A process without an engine (a command, a test)
starts nothing; its runs stay queued until a reaper ends them.
"""

import asyncio
import contextvars
import logging
import os
import socket
import time
from collections.abc import Callable, Coroutine
from typing import Any

from chat.catalogue.models import Endpoint
from chat.database import in_database
from chat.local import supervisor as local_model
from chat.runs import broadcast, reaper, worker
from chat.runs.draft import Draft
from chat.runs.journal import Journal
from chat.runs.models import Process, Run

LAG_SAMPLE_SECONDS = 0.25
logger = logging.getLogger(__name__)


class Engine:
    """The running part of one process. ``lag`` is how late the event loop is, in seconds, smoothed."""

    def __init__(self, process_id: int) -> None:
        self.process_id = process_id
        self.loop = asyncio.get_running_loop()
        self.drafts: dict[int, Draft] = {}
        self.accepting = True
        self.lag = 0.0
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._journal = Journal(process_id, lambda: list(self.drafts.values()))
        self._background: list[asyncio.Task[None]] = []

    def start_background(self) -> None:
        for forever in (self._journal.run_forever, self._reap_forever, self._measure_lag):
            self._background.append(_spawn(forever()))

    def begin(self, run_id: int, topic: str, prefix: str) -> None:
        """Give a queued run its draft and its worker."""
        if run_id in self.drafts or not self.accepting:
            return
        draft = self.drafts[run_id] = Draft(run_id, topic, prefix)
        task = _spawn(worker.execute(draft, self.process_id, self._ready_for(draft), self._journal.release))
        self._workers[run_id] = task
        task.add_done_callback(lambda _: self._forget(run_id))
        broadcast.publish(topic, broadcast.RunStarted(run_id))

    def cancel(self, run_id: int) -> None:
        """End a worker because its run was stopped."""
        if (draft := self.drafts.get(run_id)) and not draft.ended and not draft.stopping:
            draft.stopping = True
            self._workers[run_id].cancel()

    async def drain(self, seconds: float) -> None:
        """Take no new runs; let running ones finish for so long, then interrupt them and wait for their text."""
        self.accepting = False
        if self._workers:
            await asyncio.wait(self._workers.values(), timeout=seconds)
        for run_id, task in self._workers.items():
            if not self.drafts[run_id].ended:
                task.cancel()
        if self._workers:
            await asyncio.wait(self._workers.values(), timeout=5)

    async def close(self) -> None:
        await self._journal.write()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._journal.close()

    def _ready_for(self, draft: Draft) -> worker.Ready:
        async def ready(endpoint: Endpoint) -> str:
            if not endpoint.is_local:
                return endpoint.base_url
            if local_model.status().state != "ready":
                draft.say("The model on this machine is still loading.")
            return await local_model.ready()

        return ready

    def _forget(self, run_id: int) -> None:
        self._workers.pop(run_id, None)
        self.drafts.pop(run_id, None)

    async def _reap_forever(self) -> None:
        while True:
            await in_database(reaper.reap)
            await asyncio.sleep(reaper.INTERVAL_SECONDS)

    async def _measure_lag(self) -> None:
        while True:
            due = time.monotonic() + LAG_SAMPLE_SECONDS
            await asyncio.sleep(LAG_SAMPLE_SECONDS)
            self.lag += 0.3 * (max(0.0, time.monotonic() - due) - self.lag)


_engine: Engine | None = None


def engine() -> Engine | None:
    """The engine of this process, or None where none was started."""
    return _engine


def process_id() -> int | None:
    return _engine.process_id if _engine else None


def draft_of(run_id: int) -> Draft | None:
    """The live draft of a run that this process writes."""
    return _engine.drafts.get(run_id) if _engine else None


def start(run: Run) -> None:
    """Have the run written; call it after the transaction that made it."""
    _on_loop(lambda engine: engine.begin(run.pk, run.topic, run.prefix))


def stop(run_id: int) -> None:
    """Tell the worker of a run, if it is here, that its run was stopped in the database."""
    _on_loop(lambda engine: engine.cancel(run_id))


async def startup() -> None:
    """Register this process, end what dead ones left, start the background tasks."""
    global _engine
    pid = await in_database(_register)
    _engine = Engine(pid)
    _engine.start_background()


async def drain(seconds: float) -> None:
    if _engine:
        await _engine.drain(seconds)


async def shutdown() -> None:
    """End everything; runs that are still live become interrupted."""
    global _engine
    if _engine:
        await _engine.drain(0)
        await _engine.close()
        await in_database(Process.objects.filter(pk=_engine.process_id).delete)
    _engine = None


def _register() -> int:
    process = Process.objects.create(host=socket.gethostname(), pid=os.getpid())
    reaper.bury_the_dead(process.pk)
    reaper.reap()
    return process.pk


def _on_loop(call: Callable[[Engine], None]) -> None:
    engine = _engine
    if engine is not None and not engine.loop.is_closed():
        engine.loop.call_soon_threadsafe(call, engine)


def _spawn(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task with a context of its own: one that inherits a request's context would share its database thread."""
    return asyncio.get_running_loop().create_task(coroutine, context=contextvars.Context())
