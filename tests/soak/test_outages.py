"""Redis or PostgreSQL goes away for a while: pages say so, answers go on or are cut off, and nothing that had ended is
lost; all is well again without a restart."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.fake_provider import FakeProvider
from tests.postgres_process import PostgresProcess
from tests.redis_process import RedisProcess
from tests.soak.page import Page
from tests.soak.world import alive, make_chats, numbers_in, server_at, stored_answers
from tests.waiting import eventually

pytestmark = pytest.mark.postgres
PAUSED = "Updates from other servers are paused"
BUSY = "The database did not answer in time"


@pytest.mark.redis
async def test_redis_is_away_for_ten_seconds(
    tmp_path: Path, provider: FakeProvider, times: Callable[[int, int], int]
) -> None:
    with RedisProcess() as redis:
        one = server_at(tmp_path, REDIS_URL=redis.url)
        other = server_at(tmp_path, REDIS_URL=redis.url)
        async with alive(one), alive(other):
            chats = make_chats(one, provider.base_url, "redis", 6, f"fake/paced:{times(40, 20)}")
            here, there = ([Page(chat) for chat in chats] for _ in range(2))
            for page, watching in zip(here, there, strict=True):
                await page.connect(one.url)
                await watching.connect(other.url)
                await page.send()
            await eventually(lambda: all("20=" in page.text for page in there), 60)

            await asyncio.to_thread(redis.stop)
            await eventually(lambda: all(page.was_told(PAUSED) for page in (*here, *there)), 30)
            await asyncio.sleep(times(2, 10))
            await asyncio.to_thread(redis.start)

            await eventually(lambda: all(page.has_ended for page in (*here, *there)), 90)
            stored = stored_answers(one)
            for page in (*here, *there):
                status, text, _ = stored[page.run]
                assert (status, numbers_in(text)) == ("done", list(range(400)))
                assert numbers_in(page.text) == list(range(400))
                await page.drop()


async def test_postgresql_is_restarted(
    tmp_path: Path, provider: FakeProvider, times: Callable[[int, int], int]
) -> None:
    with PostgresProcess() as postgres:
        async with alive(server_at(tmp_path, DATABASE_URL=postgres.url)) as server:
            pages = [Page(chat) for chat in make_chats(server, provider.base_url, "kept", 6, "fake/paced:20")]
            [finished] = map(Page, make_chats(server, provider.base_url, "ended", 1, "fake/paced:400"))
            for page in (finished, *pages):
                await page.connect(server.url)
                await page.send()
            await eventually(lambda: finished.has_ended and all("20=" in page.text for page in pages), 60)
            ended = finished.run
            before = stored_answers(server)[ended]

            await asyncio.to_thread(postgres.stop)
            reached = [len(numbers_in(page.text)) for page in pages]
            await pages[0].send("Do you hear me?")
            await eventually(lambda: pages[0].was_told(BUSY), 60)
            await asyncio.sleep(times(1, 10))
            await asyncio.to_thread(postgres.start)

            async def well() -> bool:
                return (await asyncio.to_thread(httpx.get, f"{server.url}/healthz", trust_env=False)).status_code == 200

            await eventually(well, 30)
            for page in pages:
                if page.close_code is not None:
                    await page.connect(server.url)
            await eventually(lambda: all(page.has_ended for page in pages), 90)
            stored = stored_answers(server)
            assert stored[ended] == before
            for page, tokens in zip(pages, reached, strict=True):
                status, text, _ = stored[page.run]
                assert status in ("done", "interrupted")
                assert numbers_in(text) == numbers_in(page.text) == list(range(len(numbers_in(text))))
                assert len(numbers_in(text)) >= tokens

            again = Page(finished.chat)
            await again.load(server.url)
            await again.connect(server.url)
            await again.send("And now?")
            await eventually(lambda: again.run > ended and again.has_ended, 60)
            assert again.statuses[again.run] == "done"
            for page in (again, finished, *pages):
                await page.drop()
