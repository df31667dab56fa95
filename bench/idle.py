"""What it costs to be there: a thousand pages on which nothing happens, and a start until the first page."""

import asyncio
import json
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp

from bench import processes
from bench.page import open_page
from bench.report import Figure, percentile
from tests.playground_process import PlaygroundProcess

SOCKETS = 1000
PEOPLE = 100
OPENED_AT_ONCE = 50
SETTLING_SECONDS = 15.0
QUIET_SECONDS = 30.0
STARTS = 5


def measure() -> list[Figure]:
    with processes.playground() as server:
        program = f"from bench.seed import chats; chats('http://127.0.0.1:9/v1', {PEOPLE}, ['idle'])"
        people = json.loads(server.run(program))
        kilobytes, share = asyncio.run(_idle(server, people))
    seconds, megabytes = _starts()
    return [
        Figure("1,000 idle sockets", "memory of each", kilobytes, "kB", 60),
        Figure("1,000 idle sockets", "share of a core", share * 100, "%", 1),
        Figure("cold start", "until the first page", seconds, "s", 1.5),
        Figure("cold start", "memory then", megabytes, "MB", 120),
    ]


async def _idle(server: PlaygroundProcess, people: list[dict[str, Any]]) -> tuple[float, float]:
    pid = server.process.pid
    async with AsyncExitStack() as pages:
        connector = aiohttp.TCPConnector(limit=0)
        session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        http = await pages.enter_async_context(session)
        # The first ones load what all others find.
        await _open(pages, http, server.url, people, OPENED_AT_ONCE)
        before = processes.memory_megabytes(pid)
        for _ in range((SOCKETS - OPENED_AT_ONCE) // OPENED_AT_ONCE):
            await _open(pages, http, server.url, people, OPENED_AT_ONCE)
        # Each said hello, which is looked into one after the other.
        await asyncio.sleep(SETTLING_SECONDS)
        kilobytes = (processes.memory_megabytes(pid) - before) * 1024 / (SOCKETS - OPENED_AT_ONCE)
        used = processes.cpu_seconds(pid)
        await asyncio.sleep(QUIET_SECONDS)
        return kilobytes, (processes.cpu_seconds(pid) - used) / QUIET_SECONDS


async def _open(
    pages: AsyncExitStack, http: aiohttp.ClientSession, url: str, people: list[dict[str, Any]], count: int
) -> None:
    opened = [open_page(http, url, person["session"], person["chats"][0]) for person in people[:count]]
    await asyncio.gather(*(pages.enter_async_context(page) for page in opened))


def _starts() -> tuple[float, float]:
    """The median start of a playground that was set up before, without the model; memory right after its page."""
    seconds, megabytes = [], []
    with TemporaryDirectory(prefix="playground-bench-") as folder:
        with PlaygroundProcess(Path(folder)):
            pass
        for _ in range(STARTS):
            with PlaygroundProcess(Path(folder)) as server:
                seconds.append(server.seconds_to_first_page)
                megabytes.append(processes.memory_megabytes(server.process.pid))
    return percentile(seconds, 0.5), percentile(megabytes, 0.5)
