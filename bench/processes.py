"""Starts what is measured as processes of their own and reads what they have used. Linux only: it reads ``/proc``."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from tests.playground_process import PlaygroundProcess, free_port


@contextmanager
def playground() -> Iterator[PlaygroundProcess]:
    """``manage.py serve`` with data of its own, without ceilings that a bench would meet."""
    with (
        TemporaryDirectory(prefix="playground-bench-", ignore_cleanup_errors=True) as folder,
        PlaygroundProcess(Path(folder), MAX_ACTIVE_RUNS="10000", MAX_SOCKETS="10000") as server,
    ):
        yield server


@contextmanager
def upstream() -> Iterator[str]:
    """The base URL of a running upstream."""
    port = free_port()
    with _program("bench.upstream", "--port", str(port)):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def bare(upstream_url: str) -> Iterator[tuple[str, int]]:
    """The yardstick's socket address and process id."""
    port = free_port()
    with _program("bench.bare", "--port", str(port), "--upstream", upstream_url) as pid:
        yield f"ws://127.0.0.1:{port}/", pid


@contextmanager
def _program(module: str, *arguments: str) -> Iterator[int]:
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise RuntimeError(f"{module} did not start.")
            yield process.pid
        finally:
            process.kill()


def cpu_seconds(pid: int) -> float:
    """CPU time that a process and its ended threads have used, to the nanosecond."""
    # The clock of another process: clock_getcpuclockid(3) as the kernel computes it (linux/posix-timers.h).
    return time.clock_gettime(~pid << 3 | 2)


def memory_megabytes(pid: int) -> float:
    """Resident memory now."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
