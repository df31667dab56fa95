"""How code on the event loop reaches the ORM: one named call at a time, on a database thread, with fresh connections.

Plain async ORM in a long-lived task keeps a connection that the server may have dropped long ago; each call here
starts and ends like a request does. Calls stand in a line of their own, because asgiref's costs as much as a small
query and knows no order: here, what somebody waits for goes before what can wait.
"""

import asyncio
import contextvars
import functools
import itertools
import threading
import time
from collections.abc import Callable
from queue import PriorityQueue
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from chat import metrics

# What a database raises that is away, or locked, for now: the same call may well succeed later.
AWAY = (InterfaceError, OperationalError)
# SQLite has one writer at a time: more threads would only sleep until the other is done.
THREADS = {"sqlite": 1, "postgresql": 4}
# So long may others overtake a call: one that draws what was sent, before its first token can be there; one that
# nobody waits for. After that it goes first, however much there is to do.
SOON_SECONDS = 0.08
LATER_SECONDS = 0.5
P = ParamSpec("P")
T = TypeVar("T")
Call = Callable[[], None]


async def in_database(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``call`` on a database thread and return what it returns."""
    return await _line.wait(0.0, functools.partial(call, *args, **kwargs))


async def in_database_soon(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what comes in good time if it comes with the next frame or two."""
    return await _line.wait(SOON_SECONDS, functools.partial(call, *args, **kwargs))


async def in_database_later(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for what nobody is waiting for; other calls may overtake it for half a second."""
    return await _line.wait(LATER_SECONDS, functools.partial(call, *args, **kwargs))


class Line:
    """Calls in the order in which they are due, and the threads that make them. A call that hangs keeps nobody from
    ending the process."""

    def __init__(self) -> None:
        self._due: PriorityQueue[tuple[float, int, Call]] = PriorityQueue()
        self._numbers = itertools.count()
        self._threads = 0

    async def wait(self, slack: float, call: Callable[[], T]) -> T:
        """What ``call`` gives; calls that are due within ``slack`` seconds may overtake it."""
        loop, asked = asyncio.get_running_loop(), time.monotonic()
        future: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()

        def make() -> None:
            if future.cancelled():
                return
            metrics.DATABASE_WAIT_SECONDS.observe(time.monotonic() - asked)
            try:
                settle = functools.partial(_settle, future, context.run(_freshly, call))
            except BaseException as error:
                settle = functools.partial(_fail, future, error)
            # A loop that has ended took whoever waited with it.
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle)

        self._due.put((asked + slack, next(self._numbers), make))
        self._ensure_threads()
        return await future

    def _ensure_threads(self) -> None:
        while self._threads < THREADS[connection.vendor]:
            self._threads += 1
            threading.Thread(target=self._work, name=f"database_{self._threads}", daemon=True).start()

    def _work(self) -> None:
        while True:
            *_, make = self._due.get()
            make()


def _freshly(call: Callable[[], T]) -> T:
    """Call with a connection that is looked at before and after, as each request's is."""
    close_old_connections()
    try:
        return call()
    finally:
        close_old_connections()


def _settle(future: "asyncio.Future[T]", result: T) -> None:
    if not future.cancelled():
        future.set_result(result)


def _fail(future: "asyncio.Future[T]", error: BaseException) -> None:
    if not future.cancelled():
        future.set_exception(error)


_line = Line()
