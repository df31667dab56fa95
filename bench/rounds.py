"""Many answers at once: people who send, pages that watch, and what the server used meanwhile."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench import processes
from bench.page import Shown, open_page
from bench.upstream import FIRST_TOKEN_SECONDS
from tests.playground_process import PlaygroundProcess

STARTS_PER_SECOND = 100
# Sockets are open, and what opening them took is over, before the first person sends.
SETTLED_SECONDS = 3.0


@dataclass(frozen=True)
class Load:
    """So many people, each with one answer of so many tokens at so many a second; 0 is as fast as it comes."""

    streams: int
    tokens: int
    rate: int = 20

    @property
    def model(self) -> str:
        return f"bench/paced/{self.rate}/{self.tokens}"


@dataclass
class Round:
    """What one load amounted to. ``waits`` are the seconds that the first token took beyond the provider's own."""

    load: Load
    shown: list[Shown] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    cpu: float = 0.0
    megabytes: float = 0.0

    @property
    def lost(self) -> int:
        return sum(shown.lost(self.load.tokens) for shown in self.shown)

    @property
    def doubled(self) -> int:
        return sum(shown.doubled() for shown in self.shown)

    @property
    def latencies(self) -> list[float]:
        return [latency for shown in self.shown for latency in shown.latencies.values()]

    @property
    def cpu_per_turn(self) -> float:
        """Seconds; only answers of one token say what a turn alone costs."""
        return self.cpu / self.load.streams

    def cpu_per_thousand_tokens(self, turns: "Round") -> float:
        """Seconds for 1,000 tokens, without what as many turns of one token cost."""
        rest = self.cpu - turns.cpu_per_turn * self.load.streams
        return rest / (self.load.streams * self.load.tokens / 1000)


class Start:
    """Where all wait until everybody is there."""

    def __init__(self, people: int) -> None:
        self._there = asyncio.Semaphore(0)
        self._people = people
        self._given = asyncio.Event()

    async def everybody_there(self) -> None:
        for _ in range(self._people):
            await self._there.acquire()

    def give(self) -> None:
        self._given.set()

    async def turn_of(self, number: int) -> None:
        """Wait for the start, and then until it is this person's turn to send."""
        self._there.release()
        await self._given.wait()
        await asyncio.sleep(number / STARTS_PER_SECOND)


Stream = Callable[[int, Start], Coroutine[None, None, tuple[Shown, float]]]


async def direct(url: str, load: Load) -> Round:
    """What a client of the provider itself sees."""
    async with aiohttp.ClientSession() as http:

        async def one(number: int, start: Start) -> tuple[Shown, float]:
            await start.turn_of(number)
            shown, sent_at = Shown(), _now()
            body = {"model": load.model, "messages": [], "stream": True}
            async with http.post(f"{url}/chat/completions", json=body) as response:
                async for line in response.content:
                    shown.add("beforeend", line.decode())
            return shown, shown.first_at - sent_at

        return await _round(load, [], one)


async def bare(address: str, pid: int, load: Load) -> Round:
    """The same load on the yardstick."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def one(number: int, start: Start) -> tuple[Shown, float]:
            async with http.ws_connect(address, max_msg_size=0) as socket:
                await start.turn_of(number)
                shown, sent_at = Shown(), _now()
                await socket.send_str(load.model)
                while (token := (await socket.receive(timeout=60)).data) != "[DONE]":
                    shown.add("beforeend", token)
                return shown, shown.first_at - sent_at

        return await _round(load, [pid], one)


def on(servers: Sequence[PlaygroundProcess], upstream_url: str, load: Load) -> Round:
    """The same load on the product, with people of its own."""
    program = f"from bench.seed import chats; chats({upstream_url!r}, {load.streams}, [{load.model!r}])"
    people = json.loads(servers[0].run(program))
    return asyncio.run(_on([(server.url, server.process.pid) for server in servers], people, load))


async def _on(servers: Sequence[tuple[str, int]], people: Sequence[dict[str, Any]], load: Load) -> Round:
    """With several processes, each answer is watched on another than writes it."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:

        async def one(number: int, start: Start) -> tuple[Shown, float]:
            session, [chat] = people[number]["session"], people[number]["chats"]
            here, there = servers[number % len(servers)][0], servers[(number + 1) % len(servers)][0]
            async with open_page(http, there, session, chat) as page:
                await start.turn_of(number)
                sent_at = _now()
                if here == there:
                    await page.send("Count.", chat["lanes"])
                else:
                    async with open_page(http, here, session, chat) as sender:
                        sent_at = _now()
                        await sender.send("Count.", chat["lanes"])
                        await sender.until_taken()
                await page.until_ended()
                return page.shown, page.shown.first_at - sent_at

        return await _round(load, [pid for _, pid in servers], one)


async def _round(load: Load, pids: Sequence[int], one: Stream) -> Round:
    start = Start(load.streams)
    streams = [asyncio.create_task(one(number, start)) for number in range(load.streams)]
    await start.everybody_there()
    await asyncio.sleep(SETTLED_SECONDS)
    before = sum(map(processes.cpu_seconds, pids))
    start.give()
    done = await asyncio.gather(*streams)
    cpu = sum(map(processes.cpu_seconds, pids)) - before
    shown, waits = [shown for shown, _ in done], [wait - FIRST_TOKEN_SECONDS for _, wait in done]
    return Round(load, shown, waits, cpu, sum(map(processes.memory_megabytes, pids)))


def _now() -> float:
    return asyncio.get_running_loop().time()
