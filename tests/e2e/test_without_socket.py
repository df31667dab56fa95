"""Where no socket opens, as behind some proxies, the page still works: it posts by itself and asks for news."""

from collections.abc import Callable

import pytest
from playwright.async_api import BrowserContext, expect

from tests.e2e.browser import IN_BROWSER, Complaints, Provider
from tests.e2e.chat_page import ChatPage
from tests.fake_answers import PLAIN

pytestmark = IN_BROWSER
# Nothing listens there, and the page's policy forbids it too: the socket fails as behind a proxy that blocks it.
NO_SOCKETS = """
window.WebSocket = class extends WebSocket {
  constructor(url) { super(url.replace(location.host, `${location.hostname}:9`)); }
};
"""


@pytest.fixture(autouse=True)
def refusals_are_expected(complaints: Complaints) -> None:
    complaints.allow(r"Connecting to 'ws:|htmx:wsError|\[object Event\]")


async def without_sockets(chat: ChatPage) -> None:
    await chat.page.add_init_script(NO_SOCKETS)


async def test_page_posts_by_itself_and_looks_for_news(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str], gate_of: Callable[[str], str]
) -> None:
    await without_sockets(chat)
    model = fresh("gated")
    await chat.begin(model)
    await chat.ask("Tell me about the sea.")
    await provider.release(gate_of(model), 3)

    await expect(chat.text_of()).to_have_text("The sea is")
    await expect(chat.banner).to_contain_text("Live updates are blocked here")
    await chat.ask("And the moon?")
    await provider.open(gate_of(model))

    await chat.ended()
    await expect(chat.answers).to_have_count(2)
    await expect(chat.text_of()).to_have_text(PLAIN)


async def test_stop_and_the_other_verbs_post_too(chat: ChatPage) -> None:
    await without_sockets(chat)
    await chat.begin("fake/slow:20")
    await chat.ask("Count.")

    await chat.page.get_by_role("button", name="Stop", exact=True).click()
    await chat.ended("stopped")
    await chat.in_lane_menu(0, "Duplicate")

    await expect(chat.send_button).to_have_text("Send to 2")
    await chat.in_lane_menu(1, "Remove from this chat")
    await expect(chat.send_button).to_have_text("Send")
    await chat.page.get_by_role("button", name="Undo").click()
    await expect(chat.send_button).to_have_text("Send to 2")


async def test_what_is_typed_outlives_the_news(chat: ChatPage) -> None:
    await without_sockets(chat)
    await chat.begin("fake/plain")
    await chat.ask("First.")
    await chat.ended()
    await chat.box.fill("Half a thou")

    async with chat.page.expect_response("**/news/"):
        pass

    await expect(chat.box).to_have_value("Half a thou")
    await expect(chat.box).to_be_focused()


async def test_page_without_scripts_shows_and_sends(
    profile: BrowserContext, chat: ChatPage, complaints: Complaints
) -> None:
    await chat.begin("fake/plain")
    cookies = await profile.cookies()
    assert profile.browser is not None
    plain = await profile.browser.new_context(base_url=complaints.server, java_script_enabled=False)
    await plain.add_cookies([{"name": c["name"], "value": c["value"], "url": complaints.server} for c in cookies])
    page = await plain.new_page()
    await page.goto("/")

    await page.get_by_role("textbox", name="Message").fill("Tell me about the sea.")
    await page.get_by_role("button", name="Send").click()
    await chat.page.goto(page.url)
    await chat.ended()
    await page.reload()

    await expect(page.locator(".answer-body")).to_have_text(PLAIN)
    await plain.close()
