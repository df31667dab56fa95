"""A process that is told to end takes nothing new, lets answers finish, keeps the rest, and sends pages elsewhere."""

import asyncio
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.fake_provider import FakeProvider
from tests.soak.page import Page
from tests.soak.world import alive, last_sent, make_chats, numbers_in, server_at, stored_answers
from tests.waiting import eventually

DRAIN_SECONDS = 6


async def test_short_answers_finish_and_long_ones_are_kept_when_a_process_leaves(
    tmp_path: Path, provider: FakeProvider
) -> None:
    async with alive(server_at(tmp_path, DRAIN_SECONDS=str(DRAIN_SECONDS))) as server:
        [short] = map(Page, make_chats(server, provider.base_url, "short", 1, "fake/paced:200"))
        [long] = map(Page, make_chats(server, provider.base_url, "long", 1, "fake/paced:10"))
        for page in (long, short):
            await page.connect(server.url)
            await page.send()
            await eventually(lambda page=page: bool(page.text), 30)

        server.process.send_signal(signal.SIGTERM)
        told_at = time.monotonic()
        await eventually(lambda: (short.close_code, long.close_code) == (4012, 4012), 30)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.url}/healthz", trust_env=False)
        code = await asyncio.to_thread(server.process.wait, DRAIN_SECONDS + 10)

    async with alive(server_at(tmp_path)) as server:
        stored = stored_answers(server)
    status, text, _ = stored[short.run]
    assert (code, status, numbers_in(text)) == (0, "done", list(range(400)))
    status, text, _ = stored[long.run]
    assert (status, numbers_in(text)) == ("interrupted", list(range(len(numbers_in(text)))))
    assert last_sent(text) - told_at > DRAIN_SECONDS - 1


@pytest.mark.postgres
@pytest.mark.redis
async def test_pages_that_are_sent_away_see_their_answers_end_in_another_process(
    tmp_path: Path, provider: FakeProvider
) -> None:
    async with alive(server_at(tmp_path)) as stays, alive(server_at(tmp_path)) as leaves:
        [page] = map(Page, make_chats(stays, provider.base_url, "sent", 1, "fake/paced:100"))
        await page.connect(leaves.url)
        await page.send()
        await eventually(lambda: bool(page.text), 30)

        leaves.process.send_signal(signal.SIGTERM)
        await eventually(lambda: page.close_code == 4012, 30)
        await page.connect(stays.url)
        await eventually(lambda: page.has_ended, 30)

        assert page.statuses[page.run] == "done"
        assert numbers_in(page.text) == list(range(400))
        await page.drop()
