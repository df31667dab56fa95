"""``manage.py serve`` as a process of its own, for tests that need the real thing: signals, sockets, a browser.

It owns starting, finding the address, ending and cleaning up; what is tested is the caller's business.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from django.conf import settings

from tests import backends

START_SECONDS = 120
LINK = re.compile(r"Sign in once with (\S+)")


class PlaygroundProcess:
    """One server with data of its own, on a free port. Use as a context manager; leaving kills it."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = int(environment.pop("PORT", "") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.link = ""
        self.seconds_to_first_page = 0.0
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "DATA_DIR": str(data_dir),
            "PORT": str(self.port),
            "LOCAL_MODEL": "off",
            # Nothing answers there: no test leaves this machine.
            "HF_ROUTER_URL": "http://127.0.0.1:9/v1",
            "HF_HUB_URL": "http://127.0.0.1:9",
            **backends.environment_for(data_dir),
            **environment,
        }

    def __enter__(self) -> "PlaygroundProcess":
        self.output = tempfile.TemporaryFile(mode="w+")
        command = [sys.executable, "manage.py", "serve"]
        self.process = subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=self.environment, stdout=self.output, stderr=subprocess.STDOUT
        )
        try:
            self._await_first_page()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        self.output.close()

    def said(self) -> str:
        """Return everything the process has written so far."""
        os.fsync(self.output.fileno())
        self.output.seek(0)
        return self.output.read()

    def end(self, number: signal.Signals, timeout: float = 15) -> float:
        """Send a signal and wait for the end; return the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout)
        return time.monotonic() - started

    def run(self, program: str) -> str:
        """Run a few lines of Python on this server's database, in ``manage.py shell``; return what they print."""
        command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", program]
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    @contextmanager
    def signed_in(self) -> Iterator[httpx.Client]:
        """A client that has used the one-time link."""
        headers = {"Origin": self.url}
        with httpx.Client(base_url=self.url, trust_env=False, follow_redirects=True, headers=headers) as client:
            token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get(self.link).text)[0]
            client.post(self.link, data={"csrfmiddlewaretoken": token}).raise_for_status()
            yield client

    def _await_first_page(self) -> None:
        started = time.monotonic()
        while time.monotonic() - started < START_SECONDS:
            if self.process.poll() is not None:
                raise RuntimeError(f"The server ended at once: {self.said()}")
            if self._answers():
                self.seconds_to_first_page = time.monotonic() - started
                self._read_link()
                return
            time.sleep(0.05)
        raise RuntimeError(f"The server did not answer in time: {self.said()}")

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def _read_link(self) -> None:
        deadline = time.monotonic() + 10
        while not (found := LINK.search(self.said())) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.link = found[1] if found else ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def children_of(pid: int) -> list[int]:
    """The processes that a process has started. Linux only; a thread may end while it is looked at."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, (task / "children").read_text().split())
    return found
