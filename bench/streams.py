"""200 people, one answer each, 20 tokens a second: what it costs and how late it is, beside the yardstick."""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench import processes
from bench.page import Shown, open_page
from bench.report import Figure, percentile
from bench.upstream import FIRST_TOKEN_SECONDS

STREAMS = 200
RATE = 20
TOKENS = 160
STARTS_PER_SECOND = 100
ROUNDS = 2
MODEL = f"bench/paced/{RATE}/{TOKENS}"
# The steady part of a round: from when all have started until the first ends.
STEADY = (STREAMS / STARTS_PER_SECOND + 1, TOKENS / RATE - 0.5)


@dataclass
class Round:
    """What one run of all streams amounted to; ``waits`` are seconds from sending to the first token."""

    shown: list[Shown]
    waits: list[float]
    cpu: float
    steady_cpu: float
    megabytes: float

    @property
    def latencies(self) -> list[float]:
        return [latency for shown in self.shown for latency in shown.latencies.values()]

    @property
    def cpu_per_thousand(self) -> float:
        return self.cpu / (STREAMS * TOKENS / 1000)

    @property
    def steady_cpu_per_thousand(self) -> float:
        return self.steady_cpu / (STREAMS * RATE * (STEADY[1] - STEADY[0]) / 1000)


def measure() -> list[Figure]:
    bares, ours = [], []
    with processes.upstream() as url:
        for _ in range(ROUNDS):
            with processes.bare(url) as (address, pid):
                bares.append(asyncio.run(_bare_round(address, pid)))
            with processes.playground() as server:
                program = f"from bench.seed import chats; chats({url!r}, {STREAMS}, [{MODEL!r}])"
                people = json.loads(server.run(program))
                ours.append(asyncio.run(_our_round(server.url, server.process.pid, people)))
    return [*_figures("streams, bare echo", bares), *_figures("streams", ours), *_ratios(bares, ours)]


async def _bare_round(address: str, pid: int) -> Round:
    async with aiohttp.ClientSession() as http:

        async def one(number: int) -> tuple[Shown, float]:
            async with http.ws_connect(address, max_msg_size=0) as socket:
                await asyncio.sleep(1 + number / STARTS_PER_SECOND)
                shown, sent_at = Shown(), time.monotonic()
                await socket.send_str(MODEL)
                while (token := (await socket.receive(timeout=60)).data) != "[DONE]":
                    shown.add("beforeend", token)
                return shown, shown.first_at - sent_at

        return await _round(pid, one)


async def _our_round(server_url: str, pid: int, people: list[dict[str, Any]]) -> Round:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def one(number: int) -> tuple[Shown, float]:
            session, [chat] = people[number]["session"], people[number]["chats"]
            async with open_page(http, server_url, session, chat) as page:
                await asyncio.sleep(1 + number / STARTS_PER_SECOND)
                await page.send("Count.", chat["lanes"])
                await page.until_ended()
                return page.shown, page.shown.first_at - page.sent_at

        return await _round(pid, one)


async def _round(pid: int, one: Callable[[int], Awaitable[tuple[Shown, float]]]) -> Round:
    steady = asyncio.create_task(_steady_cpu(pid))
    await asyncio.sleep(0)
    before = processes.cpu_seconds(pid)
    done = await asyncio.gather(*(one(number) for number in range(STREAMS)))
    cpu = processes.cpu_seconds(pid) - before
    shown, waits = [shown for shown, _ in done], [wait - FIRST_TOKEN_SECONDS for _, wait in done]
    return Round(shown, waits, cpu, await steady, processes.memory_megabytes(pid))


async def _steady_cpu(pid: int) -> float:
    await asyncio.sleep(1 + STEADY[0])
    before = processes.cpu_seconds(pid)
    await asyncio.sleep(STEADY[1] - STEADY[0])
    return processes.cpu_seconds(pid) - before


def _figures(name: str, rounds: list[Round]) -> list[Figure]:
    latencies = [latency * 1000 for r in rounds for latency in r.latencies]
    waits = [wait * 1000 for r in rounds for wait in r.waits]
    return [
        Figure(name, "tokens lost", sum(shown.lost(TOKENS) for r in rounds for shown in r.shown), at_most=0),
        Figure(name, "tokens doubled", sum(shown.doubled() for r in rounds for shown in r.shown), at_most=0),
        Figure(name, "first token added, p50", percentile(waits, 0.5), "ms"),
        Figure(name, "first token added, p99", percentile(waits, 0.99), "ms"),
        Figure(name, "latency added, p50", percentile(latencies, 0.5), "ms"),
        Figure(name, "latency added, p99", percentile(latencies, 0.99), "ms"),
        Figure(name, "CPU per 1,000 tokens, all", statistics.mean(r.cpu_per_thousand for r in rounds), "s"),
        Figure(name, "CPU per 1,000 tokens, steady", statistics.mean(r.steady_cpu_per_thousand for r in rounds), "s"),
        Figure(name, "memory", max(r.megabytes for r in rounds), "MB"),
    ]


def _ratios(bares: list[Round], ours: list[Round]) -> list[Figure]:
    whole = statistics.mean(o.cpu / b.cpu for o, b in zip(ours, bares, strict=True))
    steady = statistics.mean(o.steady_cpu / b.steady_cpu for o, b in zip(ours, bares, strict=True))
    return [
        Figure("streams", "CPU beside the bare echo, all", whole, "x"),
        Figure("streams", "CPU beside the bare echo, steady", steady, "x"),
    ]
