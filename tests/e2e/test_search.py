"""Search in the sidebar: what was found is reached by keyboard, and leads to the message itself."""

from playwright.async_api import Locator, expect

from tests.e2e.browser import IN_BROWSER
from tests.e2e.chat_page import ChatPage

pytestmark = IN_BROWSER


async def begun(chat: ChatPage, *texts: str, model: str = "fake/plain") -> None:
    await chat.begin(model)
    for text in texts:
        await chat.ask(text)
        await chat.ended()


async def look_for(chat: ChatPage, typed: str) -> Locator:
    """Type into the search box; return what is found."""
    await chat.page.keyboard.press("Control+k")
    await chat.page.keyboard.type(typed)
    await expect(chat.sidebar.get_by_role("status")).to_be_visible()
    return chat.sidebar.locator(".chat-hit")


async def test_arrows_and_enter_lead_to_the_message(chat: ChatPage) -> None:
    await begun(chat, "Something about zebras", "Then of entropy")
    await begun(chat, "Nothing of that")

    hits = await look_for(chat, "zebr")
    await expect(hits).to_have_count(1)
    await chat.page.keyboard.press("ArrowDown")
    await expect(hits.get_by_role("link")).to_be_focused()
    await chat.page.keyboard.press("ArrowUp")
    await expect(chat.sidebar.get_by_role("searchbox")).to_be_focused()
    await chat.page.keyboard.press("Enter")

    await expect(chat.page).to_have_title("Something about zebras · Playground")
    await expect(chat.page.locator("article:target")).to_contain_text("zebras")


async def test_escape_gives_the_list_back(chat: ChatPage) -> None:
    await begun(chat, "Something about zebras")
    await begun(chat, "Nothing of that")

    hits = await look_for(chat, "zebras")
    await expect(hits).to_have_count(1)
    await chat.page.keyboard.press("ArrowDown")
    await chat.page.keyboard.press("Escape")
    await chat.page.keyboard.press("Escape")

    await expect(chat.sidebar.get_by_role("listitem")).to_have_count(2)


async def test_nothing_found_is_said(chat: ChatPage) -> None:
    await begun(chat, "Something about zebras")

    hits = await look_for(chat, "enthalpy")

    await expect(chat.sidebar.get_by_role("status")).to_have_text("Nothing found for “enthalpy”.")
    await expect(hits).to_have_count(0)


async def test_found_message_is_in_view_and_the_chat_goes_on_below_it(chat: ChatPage) -> None:
    await begun(chat, "Look for the needle", "hay\n" * 80 + "hay", model="fake/plain")

    hits = await look_for(chat, "needle")
    await hits.get_by_role("link").click()

    await expect(chat.page.locator("article:target")).to_be_in_viewport()
    await chat.ask("And more")
    await expect(chat.answers).to_have_count(3)


async def test_other_version_of_a_message_is_brought_into_view(chat: ChatPage) -> None:
    await begun(chat, "Something about zebras")
    await chat.questions.first.hover()
    await chat.questions.first.get_by_role("button", name="Edit").click()
    box = chat.page.locator(".message-edit textarea")
    await box.fill("Something else")
    await box.press("Control+Enter")
    await expect(chat.questions.first).to_contain_text("Something else")

    hits = await look_for(chat, "zebras")
    await hits.get_by_role("button").click()

    await expect(chat.page.locator("article:target")).to_contain_text("zebras")
