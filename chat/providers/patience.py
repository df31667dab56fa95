"""How long silence is borne: one timer per stream, however many tokens come.

`client` waits through `Patience.wait` and says when it heard something. A timer per read would cost more than decoding
the token; this one only looks at the clock when it fires and then sleeps on.
"""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from chat.providers.errors import provider_error
from chat.providers.requests import Timeouts

T = TypeVar("T")
# When time is up while nobody waits, the reader is busy and data may well be there: it gets this long to look.
GRACE_SECONDS = 0.5


class Patience:
    """Runs out when no token came for `first_token` seconds, or later nothing at all for `between_tokens`.

    Keep-alive bytes after the first token count as a sign of life, but alone never for longer than the longer of both.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._loop = asyncio.get_running_loop()
        self._between = timeouts.between_tokens
        self._longest = max(timeouts.first_token, timeouts.between_tokens)
        self._deadline = self._loop.time() + timeouts.first_token
        self._timer = self._loop.call_at(self._deadline, self._check)
        self._last_token: float | None = None
        self._waiting: asyncio.Task[object] | None = None
        self._ran_out = False

    def heard(self, token: bool) -> None:
        """Bytes came; `token` says whether anything of the answer was among them."""
        now = self._loop.time()
        if token:
            self._last_token = now
        if self._last_token is not None:
            self._deadline = min(now + self._between, self._last_token + self._longest)
            if self._deadline < self._timer.when():
                self._set_timer(self._deadline)

    async def wait(self, awaitable: Awaitable[T]) -> T:
        """The result of `awaitable`. Raises TooSlow when patience runs out first."""
        task = asyncio.current_task()
        assert task is not None
        cancelling = task.cancelling()
        self._waiting = task
        try:
            return await awaitable
        except asyncio.CancelledError:
            # The same bookkeeping as asyncio.timeout: a cancellation from elsewhere at the same moment must win.
            if self._ran_out and task.uncancel() <= cancelling:
                kind = "first_token_timeout" if self._last_token is None else "between_tokens_timeout"
                raise provider_error(kind) from None
            raise
        finally:
            self._waiting = None

    def close(self) -> None:
        """Stop the timer."""
        self._timer.cancel()

    def _check(self) -> None:
        now = self._loop.time()
        if now < self._deadline:
            self._set_timer(self._deadline)
        elif self._waiting is None:
            self._set_timer(now + GRACE_SECONDS)
        else:
            self._ran_out = True
            self._waiting.cancel()

    def _set_timer(self, when: float) -> None:
        self._timer.cancel()
        self._timer = self._loop.call_at(when, self._check)
