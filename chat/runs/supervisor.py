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
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from chat import metrics, relay
from chat.database import AWAY, in_database
from chat.local import supervisor as local_model
from chat.runs import broadcast, journal, reaper, worker
from chat.runs.draft import Draft
from chat.runs.lending import Lending
from chat.runs.models import Process, Run

LAG_SAMPLE_SECONDS = 0.25
# A page is shown what is new so often, and less often the more is written and the later the loop is.
FRAME_SECONDS = 0.04
SLOWEST_FRAME_SECONDS = 0.1
# With two hundred answers at work the slowest pace begins.
SECONDS_PER_ANSWER = 0.0003
logger = logging.getLogger(__name__)


class Engine:
    """The running part of one process. ``lag`` is how late the event loop is, in seconds, smoothed."""

    def __init__(self, process_id: int) -> None:
        self.process_id = process_id
        self.loop = asyncio.get_running_loop()
        self.drafts: dict[int, Draft] = {}
        self.lending = Lending(self.drafts.get)
        self.accepting = True
        self.lag = 0.0
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._journal = journal.Journal(process_id, lambda: list(self.drafts.values()))
        self._background: list[asyncio.Task[None]] = []
        self._unattended: set[int] = set()

    def start_background(self) -> None:
        every = ((journal.INTERVAL_SECONDS, self._journal.write), (reaper.INTERVAL_SECONDS, self.reap))
        for work in (*(_repeat(seconds, step) for seconds, step in every), self._measure_lag()):
            self._background.append(_spawn(work))

    def begin(self, run: Run) -> None:
        """Give a queued run its draft and its worker."""
        if run.pk in self.drafts or not self.accepting:
            return
        draft = self.drafts[run.pk] = Draft(run.pk, run.topic, run.prefix)
        task = _spawn(worker.execute(run, draft, self.process_id, self._ready_for(draft), self._journal.release))
        self._workers[run.pk] = task
        task.add_done_callback(lambda _: self._forget(run.pk))
        broadcast.publish(run.topic, broadcast.RunStarted(run.pk))

    def cancel(self, run_id: int) -> None:
        """End a worker because its run was stopped."""
        if (draft := self.drafts.get(run_id)) and not draft.ended and not draft.stopping:
            draft.stopping = True
            # Behind its first step: a task that is cancelled before it would end without having settled anything.
            self.loop.call_soon(self._workers[run_id].cancel)

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

    async def reap(self) -> None:
        """End the runs of dead processes, and those of this one that it was to write and does not or no longer is.

        Those that it does not write must be seen twice: between its commit and its worker a run is nobody's for a
        moment. Those that were stopped elsewhere are usually told, sooner.
        """
        await in_database(reaper.reap, self.process_id)
        to_write = await in_database(reaper.runs_to_write, self.process_id)
        for run_id, status in to_write.items():
            if status == Run.Status.STOPPED:
                self.cancel(run_id)
        unattended = to_write.keys() - self.drafts.keys()
        await in_database(reaper.interrupt, unattended & self._unattended)
        self._unattended = unattended

    async def close(self) -> None:
        await _logged(self._journal.write)
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._journal.close()

    def _ready_for(self, draft: Draft) -> worker.Ready:
        async def ready() -> str:
            if local_model.status().state != "ready":
                draft.say("The model on this machine is still loading.")
            return await local_model.ready()

        return ready

    def _forget(self, run_id: int) -> None:
        self._workers.pop(run_id, None)
        self.drafts.pop(run_id, None)

    async def _measure_lag(self) -> None:
        while True:
            due = time.monotonic() + LAG_SAMPLE_SECONDS
            await asyncio.sleep(LAG_SAMPLE_SECONDS)
            late = max(0.0, time.monotonic() - due)
            self.lag += 0.3 * (late - self.lag)
            metrics.LOOP_LAG_SECONDS.observe(late)


_engine: Engine | None = None
metrics.LIVE_RUNS.set_function(lambda: len(_engine.drafts) if _engine else 0)


def engine() -> Engine | None:
    """The engine of this process, or None where none was started."""
    return _engine


def process_id() -> int | None:
    return _engine.process_id if _engine else None


def pace() -> float:
    """Seconds from one frame of a page to the next: more of them in a busy process, so that it does less."""
    load = 4 * _engine.lag + SECONDS_PER_ANSWER * len(_engine.drafts) if _engine else 0.0
    return min(FRAME_SECONDS + load, SLOWEST_FRAME_SECONDS)


def draft_of(run_id: int) -> Draft | None:
    """The live draft of a run that this process writes."""
    return _engine.drafts.get(run_id) if _engine else None


def start(run: Run) -> None:
    """Have the run, which comes with its endpoint, written; call it after the transaction that made it."""
    _on_loop(lambda engine: engine.begin(run))


def stop(run_id: int) -> None:
    """Tell the worker of a run, here or in another process, that its run was stopped in the database."""
    _on_loop(lambda engine: engine.cancel(run_id))
    relay.tell("stopped", run_id)


@relay.listen("stopped")
def _hear_stopped(process: int, run_id: int) -> None:
    _on_loop(lambda engine: engine.cancel(run_id))


@relay.listen("ask")
def _hear_ask(process: int, run_ids: list[int]) -> None:
    if _engine:
        _engine.lending.ask(process, run_ids)


@relay.listen("keep")
def _hear_keep(process: int, run_ids: list[int]) -> None:
    if _engine:
        _engine.lending.keep(process, run_ids)


@relay.collect
def _lend() -> list[tuple[int, relay.Word]]:
    return _engine.lending.collect() if _engine else []


async def startup() -> None:
    """Register this process, end what dead ones left, start the background tasks."""
    global _engine
    pid = await in_database(_register)
    _engine = Engine(pid)
    # Once before anybody is shown anything, and with an engine there for what waited behind a run that is ended now.
    await _logged(_engine.reap)
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
    others = reaper.others_alive(process.pk)
    if others and not relay.is_on():
        logger.warning(
            "Other processes serve this database: %d. Set REDIS_URL for all of them, or pages will not follow what "
            "happens in another process than theirs.",
            others,
        )
    return process.pk


def _on_loop(call: Callable[[Engine], None]) -> None:
    engine = _engine
    if engine is not None and not engine.loop.is_closed():
        engine.loop.call_soon_threadsafe(call, engine)


def _spawn(coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task with a context of its own: one that inherits a request's context would share its database thread."""
    return asyncio.get_running_loop().create_task(coroutine, context=contextvars.Context())


async def _repeat(seconds: float, step: Callable[[], Awaitable[None]]) -> None:
    """Take a step so often, however long each takes and whatever became of the last one."""
    while True:
        due = time.monotonic() + seconds
        await _logged(step)
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def _logged(step: Callable[[], Awaitable[None]]) -> None:
    try:
        await step()
    except AWAY as error:
        logger.warning("The database is away; the engine will try again: %s", error)
    except Exception:
        logger.exception("A task of the engine failed; it will try again.")
