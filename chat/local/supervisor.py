"""Keeps the model server alive and knows whether it can be asked.

It owns the child process, its restarts and its state. It never talks to the model: that is ``chat.providers``.
``serve`` runs ``run_forever``; workers wait for ``ready``; pages show ``status``.
"""

import asyncio
import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum

from django.conf import settings

from chat.local.weights import Weights, find_weights
from chat.providers.errors import Context, provider_error

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 60.0
# A child that lived so long was well; its death does not count towards longer pauses.
STEADY_SECONDS = 60.0
COMPLAINTS_BYTES = 16_384
# What the child may know of our environment: no tokens, no keys.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
logger = logging.getLogger(__name__)


class State(StrEnum):
    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True)
class Status:
    """How the local model is doing. ``reason`` is a phrase for people where it failed; lengths are in tokens.

    ``base_url`` holds a secret: it goes to the worker that asks the model, and into no row, page or log.
    """

    state: State
    model: str = ""
    reason: str = ""
    base_url: str = field(default="", repr=False)
    context_length: int | None = None


class Supervisor:
    """Runs one command that announces itself on stdout, and runs it again whenever it ends."""

    def __init__(self, command: Sequence[str], model: str, first_pause: float = FIRST_PAUSE_SECONDS) -> None:
        self.status = Status(State.STARTING, model)
        self._command = command
        self._first_pause = first_pause
        self._changed = asyncio.Event()
        self._complaints = b""

    async def run_forever(self) -> None:
        """Keep the child running until cancelled; no child is left behind then."""
        pause = self._first_pause
        while True:
            started = time.monotonic()
            reason = await self._run_child()
            was_ready = self.status.state is State.READY
            if was_ready and time.monotonic() - started > STEADY_SECONDS:
                pause = self._first_pause
            self._become(State.STARTING if was_ready else State.FAILED, reason=reason)
            logger.warning("The local model stopped: %s. Next try in %.1f s.", reason, pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            self._become(State.STARTING, reason=reason)

    async def ready(self, timeout: float) -> str:
        """Return the base URL as soon as the model can be asked; raise ``ProviderError`` if it will not be in time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while self.status.state is State.STARTING:
                    await self._changed.wait()
        if self.status.state is State.READY:
            return self.status.base_url
        raise _unavailable(self.status)

    async def _run_child(self) -> str:
        """Run the child once, to its end; return why it ended."""
        self._complaints = b""
        try:
            child = await _spawn(self._command)
        except OSError as error:
            return f"it could not be started ({error.strerror})"
        listener = asyncio.create_task(self._listen(child))
        try:
            await self._await_announcement(child)
            code = await child.wait()
            await listener
        finally:
            await _end(child)
            listener.cancel()
        return self._complaint() or f"it ended with code {code}"

    async def _await_announcement(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdin and child.stdout
        child.stdin.write(f"{secrets.token_urlsafe(24)}\n".encode())
        if line := await child.stdout.readline():
            told = json.loads(line)
            self._become(State.READY, base_url=told["base_url"], context_length=told["context_length"])

    async def _listen(self, child: asyncio.subprocess.Process) -> None:
        """Keep the end of what stderr says: where the child dies, it tells why. It is not logged."""
        assert child.stderr
        while said := await child.stderr.read(COMPLAINTS_BYTES):
            self._complaints = (self._complaints + said)[-COMPLAINTS_BYTES:]

    def _complaint(self) -> str:
        """Return the first error llama.cpp reported (lines look like ``0.01.362 E function: text``)."""
        lines = self._complaints.decode(errors="replace").splitlines()
        errors = (line.partition(" E ")[2].strip() for line in lines)
        return next((error.partition(": ")[2] or error for error in errors if error), "")

    def _become(self, state: State, reason: str = "", base_url: str = "", context_length: int | None = None) -> None:
        length = context_length or self.status.context_length
        self.status = replace(self.status, state=state, reason=reason, base_url=base_url, context_length=length)
        self._changed.set()
        self._changed = asyncio.Event()


async def _spawn(command: Sequence[str]) -> asyncio.subprocess.Process:
    """Start the child in a session of its own, so that Ctrl-C in a terminal reaches us first."""
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=settings.BASE_DIR,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        start_new_session=True,
    )


async def _end(child: asyncio.subprocess.Process) -> None:
    """End the child at once: it holds nothing worth saving, and while it loads it would not listen."""
    with suppress(ProcessLookupError):
        child.kill()
    await child.wait()


def _unavailable(status: Status) -> Exception:
    if status.state is State.STARTING:
        return provider_error("loading")
    return provider_error("local_failed", Context(detail=status.reason))


OFF = Status(State.OFF, reason="it is turned off")
_supervisor: Supervisor | None = None


async def run_forever() -> None:
    """Run the model that the settings choose; return at once where they choose none."""
    global _supervisor
    weights = find_weights(settings.LOCAL_MODEL_PATH) if settings.LOCAL_MODEL else None
    if weights is None:
        return
    _supervisor = Supervisor(child_command(weights), weights.model)
    try:
        await _supervisor.run_forever()
    finally:
        _supervisor = None


def child_command(weights: Weights) -> tuple[str, ...]:
    return (sys.executable, "-m", "chat.local", "--model", str(weights.path), "--name", weights.model)


async def ready(timeout: float = 180.0) -> str:
    """Return the base URL of the local model once it can be asked; raise ``ProviderError`` where it cannot."""
    if _supervisor is None:
        raise _unavailable(OFF)
    return await _supervisor.ready(timeout)


def status() -> Status:
    """Return how the local model of this process is doing; safe from any thread."""
    return _supervisor.status if _supervisor else OFF
