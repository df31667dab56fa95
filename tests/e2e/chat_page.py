"""A chat as a person sees it: the names and roles of a page, in words that tests can be written with.

Only accessible names and the few documented attributes are used to find things, so that tests read what people do.
"""

import re

from playwright.async_api import Locator, Page, expect


class ChatPage:
    """One tab that shows a chat. ``page`` is there for what is not worth a word here."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.box = page.get_by_role("textbox", name="Message", exact=True)
        self.send_button = page.get_by_role("button", name=re.compile(r"^Send( to \d)?$"))
        self.answers = page.locator("article.answer")
        self.questions = page.get_by_role("article", name="You", exact=True)
        self.drawer = page.get_by_role("complementary", name=re.compile("^Parameters of"))
        self.picker = page.get_by_role("dialog", name="Choose a model")
        self.search_box = self.picker.get_by_role("searchbox", name="Search models")
        self.sidebar = page.get_by_role("navigation", name="Chats")
        self.banner = page.locator("[data-connection]")
        self.menu = page.locator("[data-menu]:popover-open")

    async def begin(self, *models: str, prompt: str = "") -> None:
        """Open a new chat with a lane for each of these models."""
        await self.page.goto(f"/?model={','.join(models)}&prompt={prompt}")

    async def ask(self, text: str) -> None:
        """Type a message and press Enter; return once it stands in the chat."""
        before, at = await self.questions.count(), self.page.url
        await self.box.fill(text)
        await self.box.press("Enter")
        await expect(self.questions.filter(has_text=text).last).to_be_visible()
        await expect(self.questions).not_to_have_count(before)
        if self.page.url != at:
            await self._settle()

    async def _settle(self) -> None:
        """Wait until a page that has just been loaded is as the server has it.

        One that was loaded in the very moment in which its answers ended gets all of its lanes once more: what a test
        opened in them before would be gone.
        """
        if await self.page.locator("[data-status=queued], [data-status=streaming]").count() == 0:
            loaded = await (await self.page.request.get(self.page.url)).text()
            stamps = re.findall(r'data-stamp="(\d+)"', loaded)
            await expect(self.page.locator("#lanes")).to_have_attribute("data-stamp", stamps[0])

    def lane(self, number: int) -> Locator:
        return self.page.get_by_role("main").get_by_role("region").nth(number)

    def answer(self, lane: int = 0) -> Locator:
        """The last answer of a lane."""
        return self.lane(lane).locator("article.answer").last

    def text_of(self, lane: int = 0) -> Locator:
        """The text of the last answer of a lane, without its figures."""
        return self.answer(lane).locator("> .answer-body")

    async def ended(self, status: str = "done", lane: int = 0) -> None:
        """Wait until the last answer of a lane has ended so."""
        await expect(self.answer(lane)).to_have_attribute("data-status", status)

    async def open_drawer(self, lane: int = 0) -> Locator:
        await self.lane(lane).get_by_role("button", name="Parameters").click()
        await expect(self.drawer).to_be_visible()
        return self.drawer

    async def open_picker(self, lane: int = 0) -> Locator:
        """The picker that changes the model of a lane."""
        await self.lane(lane).get_by_role("button", name="Change model").click()
        await expect(self.search_box).to_be_focused()
        return self.picker

    async def choose_in(self, opener: Locator, choice: str) -> None:
        """Open a menu and press one of its buttons."""
        await opener.click()
        await self.menu.get_by_role("button", name=choice, exact=True).click()

    async def in_lane_menu(self, lane: int, choice: str) -> None:
        await self.choose_in(self.lane(lane).get_by_role("button", name="More for this model"), choice)

    async def again(self, choice: str, lane: int = 0) -> None:
        """Regenerate the last answer of a lane in one of the ways offered."""
        await self.choose_in(self.answer(lane).get_by_role("button", name="Regenerate"), choice)

    async def stored_text(self, lane: int = 0) -> str:
        """What the server has of the last answer of a lane."""
        pk = (await self.answer(lane).get_attribute("id") or "").removeprefix("message-")
        return await (await self.page.request.get(f"/messages/{pk}/text/")).text()
