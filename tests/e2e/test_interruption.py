"""The server dies in mid-answer: what was written is kept, said to be cut off, and can be gone on with."""

import re
import signal
import time
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.e2e.browser import IN_BROWSER, Complaints, Provider
from tests.e2e.chat_page import ChatPage
from tests.playground_process import PlaygroundProcess

pytestmark = IN_BROWSER
LOST_AT_MOST = 0.5
# What a browser and htmx write to the console while nobody answers.
OUTAGE = r"ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE)|WebSocket connection to|htmx:|\[object Event\]"


async def sign_in(chat: ChatPage, server: PlaygroundProcess) -> None:
    await chat.page.goto(server.link)
    await chat.page.get_by_role("button", name="Sign in").click()
    await expect(chat.box).to_be_visible()


async def words(chat: ChatPage) -> int:
    """How many words of the answer the page shows."""
    return len(re.findall(r"word\d+", await chat.text_of().inner_text()))


async def test_killed_server_keeps_the_text_up_to_the_last_half_second(
    browser: Browser, provider: Provider, tmp_path: Path
) -> None:
    environment = {"HF_ROUTER_URL": f"{provider.url}/v1", "HF_TOKEN": "hf_good_of_the_server_ef56"}
    with PlaygroundProcess(tmp_path, **environment) as server:
        complaints = Complaints(server.url)
        complaints.allow(OUTAGE)
        context = await browser.new_context(base_url=server.url)
        complaints.listen(context)
        chat = ChatPage(await context.new_page())
        await sign_in(chat, server)
        await chat.begin("fake/slow:20")
        await chat.ask("Count.")
        await expect(chat.text_of()).to_contain_text("word40 ")
        seen, seen_at = await words(chat), time.monotonic()
        # Each word takes the provider 20 ms, so that more than the half second that may be lost goes by.
        await expect(chat.text_of()).to_contain_text(f"word{seen + 40} ")
        assert time.monotonic() - seen_at > LOST_AT_MOST
        server.end(signal.SIGKILL)

    with PlaygroundProcess(tmp_path, PORT=str(server.port), **environment):
        await chat.ended("interrupted")
        await expect(chat.answer()).to_contain_text("The server stopped while this was being written.")
        kept = await words(chat)
        assert kept >= seen
        assert (await chat.stored_text()).split() == [f"word{number}" for number in range(1, kept + 1)]
        await chat.page.reload()
        await chat.ended("interrupted")
        assert await words(chat) == kept

        await chat.answer().get_by_role("button", name="Continue").click()

        await expect(chat.text_of()).to_contain_text(re.compile(rf"word{kept} ?word1 "))
        await chat.page.get_by_role("button", name="Stop", exact=True).click()
        await chat.ended("stopped")
        await chat.answer().get_by_role("button", name="Previous version").click()
        await chat.ended("interrupted")
        await context.close()
        assert complaints.unexpected == []
