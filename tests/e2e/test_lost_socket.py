"""The socket goes while a prompt is sent: whatever was lost on the way, the prompt is delivered once."""

import json
from collections.abc import Callable

import pytest
import pytest_asyncio
from playwright.async_api import Page, WebSocketRoute, expect

from tests.e2e.browser import IN_BROWSER, Complaints, Provider
from tests.e2e.chat_page import ChatPage

pytestmark = IN_BROWSER
# The page connects anew after this code.
BROKEN = 1011


class Line:
    """The way between a page and its server. ``loses_sends`` and ``loses_answers`` make it swallow what goes there."""

    def __init__(self) -> None:
        self.is_cut = self.loses_sends = self.loses_answers = False
        self.asked = 0
        self._page: WebSocketRoute | None = None

    async def open(self, page: WebSocketRoute) -> None:
        if self.is_cut:
            await page.close(code=BROKEN)
            return
        self._page, server = page, page.connect_to_server()

        def to_server(message: str | bytes) -> None:
            sends = json.loads(message).get("action") == "send"
            self.asked += sends
            if not (sends and self.loses_sends):
                server.send(message)

        page.on_message(to_server)
        server.on_message(lambda message: None if self.loses_answers else page.send(message))

    async def cut(self) -> None:
        self.is_cut = True
        if self._page is not None:
            await self._page.close(code=BROKEN)

    def mend(self) -> None:
        self.is_cut = self.loses_sends = self.loses_answers = False


@pytest_asyncio.fixture(loop_scope="session")
async def line(page: Page, complaints: Complaints) -> Line:
    complaints.allow(r"WebSocket|htmx:ws|\[object Event\]")
    line = Line()
    await page.route_web_socket("**/ws/**", line.open)
    return line


async def delivered_once(chat: ChatPage, provider: Provider, model: str) -> None:
    """The second prompt stands in the chat once and was asked once."""
    await expect(chat.questions.filter(has_text="Only once.")).to_have_count(1)
    await expect(chat.answers).to_have_count(2)
    await chat.ended()
    await chat.page.reload()
    await expect(chat.questions.filter(has_text="Only once.")).to_have_count(1)
    await expect(chat.box).to_have_value("")
    assert len(await provider.bodies(model)) == 2


async def test_prompt_sent_while_the_socket_is_down_is_delivered_once(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str], line: Line
) -> None:
    model = fresh("plain")
    await chat.begin(model)
    await chat.ask("First.")
    await chat.ended()
    await line.cut()

    await chat.box.fill("Only once.")
    await chat.box.press("Enter")

    await expect(chat.questions).to_have_count(2)
    line.mend()
    await delivered_once(chat, provider, model)


@pytest.mark.parametrize("lost", ["loses_sends", "loses_answers"])
async def test_prompt_that_is_sent_again_after_the_socket_was_lost_is_delivered_once(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str], line: Line, lost: str
) -> None:
    model = fresh("plain")
    await chat.begin(model)
    await chat.ask("First.")
    await chat.ended()
    setattr(line, lost, True)

    await chat.box.fill("Only once.")
    await chat.box.press("Enter")
    await expect(chat.page.locator("[data-composer][data-sending]")).to_have_count(1)
    await line.cut()
    line.mend()
    await expect(chat.page.locator("[data-composer]:not([data-sending])")).to_have_count(1)
    await expect(chat.banner).to_have_attribute("data-state", "")
    await expect(chat.box).to_have_value("Only once.")
    await chat.box.press("Enter")

    await expect(chat.box).to_have_value("")
    assert line.asked == 2
    await delivered_once(chat, provider, model)
