"""A page that takes nothing costs the server no more than what is under way to it, and catches up when it goes on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from chat.flow import MAX_BYTES, MAX_FRAMES
from tests.fake_provider import FakeProvider
from tests.markdown.dom import body
from tests.playground_process import PlaygroundProcess
from tests.soak.page import Page
from tests.soak.world import make_chats, numbers_in, stored_answers
from tests.waiting import eventually

PAGES = 40
# What the allocator and the answer itself may take.
MEGABYTES = 40


def megabytes(server: PlaygroundProcess) -> float:
    lines = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def test_pages_that_stop_reading_cost_bounded_memory_and_catch_up(
    server: PlaygroundProcess, provider: FakeProvider, times: Callable[[int, int], int]
) -> None:
    rate = times(80, 6)
    [chat] = make_chats(server, provider.base_url, "slow", 1, f"fake/paced:{rate}")
    asking, *idle = (Page(chat) for _ in range(PAGES))
    await asking.connect(server.url)
    for page in idle:
        await page.connect(server.url, acknowledges=False)
    await asking.send()
    await eventually(lambda: "5=" in asking.text and all(page.bodies for page in idle), 60)
    before = megabytes(server)

    await eventually(lambda: asking.has_ended, 400 / rate + 60)
    await asyncio.sleep(1)

    assert not any(page.has_ended for page in idle)
    assert max(page.frames for page in idle) <= MAX_FRAMES
    # One frame more than the bound may have gone while there was room.
    assert max(page.characters for page in idle) < 2 * MAX_BYTES
    assert megabytes(server) - before < MEGABYTES

    for page in idle:
        await page.go_on()
    await eventually(lambda: all(page.has_ended for page in idle), 60)
    status, text, html = stored_answers(server)[asking.run]
    assert (status, numbers_in(text)) == ("done", list(range(400)))
    for page in (asking, *idle):
        assert page.bodies[page.run] == body(html)
        await page.drop()
