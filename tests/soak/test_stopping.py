"""Stop reaches the provider at once, from whichever process it is pressed in."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pytest

from tests import backends
from tests.fake_provider import FakeProvider
from tests.playground_process import PlaygroundProcess
from tests.soak.page import Page
from tests.soak.world import make_chats, server_at
from tests.waiting import eventually

AT_ONCE = 5


@pytest.fixture
def elsewhere(server: PlaygroundProcess, data_dir: Path) -> Iterator[PlaygroundProcess]:
    """Another process of the same installation; the same one where there is no Redis to join them."""
    with ExitStack() as stack:
        joined = backends.KINDS["postgres"] and backends.KINDS["redis"]
        yield stack.enter_context(server_at(data_dir)) if joined else server


async def test_stop_closes_the_connection_to_the_provider_within_a_second(
    server: PlaygroundProcess,
    elsewhere: PlaygroundProcess,
    provider: FakeProvider,
    times: Callable[[int, int], int],
    full: bool,
) -> None:
    chats = iter(make_chats(server, provider.base_url, "stopped", times(6, 100), "fake/paced:20"))
    took: list[float] = []

    async def stop_elsewhere(start: Page, stop: Page) -> float:
        await start.connect(server.url)
        await stop.connect(elsewhere.url)
        await start.send(start.chat.id)
        await eventually(lambda: "3=" in stop.text, 60)
        [asked] = [record for record in provider.chats if record.body["messages"][-1]["content"] == start.chat.id]
        stopped_at = time.monotonic()
        await stop.say("stop", run=stop.run)
        await asyncio.wait_for(asked.left.wait(), 30)
        assert asked.left_at is not None and not asked.completed
        await eventually(lambda: start.statuses[start.run] == stop.statuses[stop.run] == "stopped", 30)
        assert start.bodies[start.run] == stop.bodies[stop.run]
        await start.drop()
        await stop.drop()
        return asked.left_at - stopped_at

    while batch := list(islice(chats, AT_ONCE)):
        took += await asyncio.gather(*(stop_elsewhere(Page(chat), Page(chat)) for chat in batch))

    # Beside other tests it may take its time.
    assert max(took) < (1.0 if full else 5.0)
