"""Sockets that are lost and pages that are loaded anew in the middle of answers lose and double nothing."""

import asyncio
import random
from collections.abc import Callable

from tests.fake_provider import FakeProvider
from tests.markdown.dom import body
from tests.playground_process import PlaygroundProcess
from tests.soak.page import Page
from tests.soak.world import make_chats, numbers_in, stored_answers
from tests.waiting import eventually

PAGES = 40
RATE = 8


async def watch_with_drops(page: Page, url: str, drops: int, chance: random.Random) -> None:
    """Ask, then lose the socket again and again while the answer comes; follow the last one to the end."""
    await page.load(url)
    await page.connect(url)
    await page.send()
    await eventually(lambda: page.run > 0, 60)
    for _ in range(drops):
        await asyncio.sleep(chance.uniform(0.0, 2.0))
        await page.drop()
        await asyncio.sleep(chance.choice((0.0, 0.0, 0.5)))
        if chance.random() < 0.3:
            await page.load(url)
        await page.connect(url)
    await eventually(lambda: page.has_ended, 120)


async def test_every_page_ends_with_the_stored_text_however_often_its_socket_was_lost(
    server: PlaygroundProcess, provider: FakeProvider, times: Callable[[int, int], int]
) -> None:
    chats = make_chats(server, provider.base_url, "dropped", times(8, PAGES), f"fake/paced:{times(40, RATE)}")
    pages = [Page(chat) for chat in chats]

    chance = random.Random(7)
    await asyncio.gather(
        *(watch_with_drops(page, server.url, times(4, 25), random.Random(chance.random())) for page in pages)
    )

    stored = stored_answers(server)
    for page in pages:
        status, text, html = stored[page.run]
        assert (status, page.statuses[page.run]) == ("done", "done")
        assert numbers_in(text) == list(range(400))
        assert page.bodies[page.run] == body(html)
        await page.drop()
