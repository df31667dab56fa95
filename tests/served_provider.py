"""The fake provider for tests that are not asynchronous: a process of its own, asked over HTTP what it heard."""

import subprocess
import sys
from typing import Any, Self

import httpx


class ServedProvider:
    """A context manager; see ``tests.fake_provider`` for what it answers."""

    base_url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fake_provider", "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.base_url = self._process.stdout.readline().strip()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=10)

    def chats(self) -> list[dict[str, Any]]:
        """The requests for an answer, in their order."""
        heard = httpx.get(f"{self.base_url.removesuffix('/v1')}/_requests", trust_env=False).json()
        return [request for request in heard if request["path"].endswith("/chat/completions")]

    def control(self, **order: Any) -> None:
        """Change how it answers from now on."""
        address = f"{self.base_url.removesuffix('/v1')}/_control"
        httpx.post(address, json=order, trust_env=False).raise_for_status()
