"""Questions to a database that may hang: asked once however many want to know, and waited for only so long.

Whatever watches a server asks again and again; with one query each, a database that does not answer would be buried
under them. Used by the pages for monitors.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock, Thread
from typing import Generic, TypeVar

from django.db import connections

T = TypeVar("T")


class Bounded(Generic[T]):
    """``answer()`` is what ``ask()`` gives, on a thread and with database connections of its own."""

    def __init__(self, ask: Callable[[], T], seconds: float = 2.0) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = Lock()
        self._under_way: Future[T] | None = None
        self._until = 0.0

    def answer(self) -> T:
        """Wait for the answer that is under way, or ask anew; ``TimeoutError`` when none comes in time."""
        with self._lock:
            if self._under_way is None or self._under_way.done():
                self._under_way, self._until = Future(), time.monotonic() + self._seconds
                Thread(target=self._answer, args=(self._under_way,), name="bounded", daemon=True).start()
            asked, until = self._under_way, self._until
        return asked.result(timeout=max(0.0, until - time.monotonic()))

    def _answer(self, asked: "Future[T]") -> None:
        try:
            try:
                answer = self._ask()
            finally:
                connections.close_all()
        except Exception as error:
            asked.set_exception(error)
        else:
            asked.set_result(answer)
