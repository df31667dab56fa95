"""What a browser test stands on: Chromium, what it complained about, and the provider that answers.

Nothing here knows what a page looks like; that is in ``chat_page``.
"""

import re
import shutil
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Dialog, Request, Response, WebError

IN_BROWSER = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Complaints:
    """All that went wrong in a browser: errors and warnings of the console and of scripts, refused requests, dialogs.

    Whatever a test brings about on purpose it must ``allow``.
    """

    server: str
    heard: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def listen(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", self._script)
        context.on("dialog", self._dialog)
        context.on("request", self._request)
        context.on("requestfailed", self._failure)
        context.on("response", self._response)

    def allow(self, pattern: str) -> None:
        self.allowed.append(pattern)

    @property
    def unexpected(self) -> list[str]:
        return [line for line in self.heard if not any(re.search(pattern, line) for pattern in self.allowed)]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.heard.append(f"console: {message.text} at {message.location}")

    def _script(self, error: WebError) -> None:
        self.heard.append(f"script: {error.error}")

    async def _dialog(self, dialog: Dialog) -> None:
        self.heard.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.server, "data:", "blob:")):
            self.heard.append(f"elsewhere: {request.url}")

    def _failure(self, request: Request) -> None:
        # Leaving a page gives up what it was still asking for.
        if request.failure != "net::ERR_ABORTED":
            self.heard.append(f"failed: {request.url} {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.heard.append(f"refused: {response.status} {response.url}")


@dataclass(frozen=True)
class Provider:
    """The fake provider, running in a process of its own."""

    url: str

    async def release(self, gate: str, pieces: int) -> None:
        """Let a ``gated`` answer write some more words."""
        await self._post("/_gate", scenario=gate, release=pieces)

    async def open(self, gate: str) -> None:
        """Let a ``gated`` answer write all it has."""
        await self._post("/_gate", scenario=gate, open=True)

    async def bodies(self, model: str) -> list[dict[str, Any]]:
        """The bodies of all requests for answers of this model, oldest first."""
        async with httpx.AsyncClient(trust_env=False) as client:
            requests = (await client.get(f"{self.url}/_requests")).json()
        bodies = [request["body"] for request in requests if request["path"].endswith("/chat/completions")]
        return [body for body in bodies if body["model"] == model]

    async def _post(self, path: str, **order: object) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            (await client.post(f"{self.url}{path}", json=order)).raise_for_status()
