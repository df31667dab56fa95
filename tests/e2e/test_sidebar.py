"""The list of chats: found, renamed, pinned, deleted with undo, and marked where something is new."""

from collections.abc import Callable

from playwright.async_api import BrowserContext, Locator, expect

from tests.e2e.browser import IN_BROWSER, Provider
from tests.e2e.chat_page import ChatPage

pytestmark = IN_BROWSER


def listed(chat: ChatPage, title: str) -> Locator:
    return chat.sidebar.get_by_role("listitem").filter(has_text=title)


async def begun(chat: ChatPage, title: str, model: str = "fake/plain") -> None:
    await chat.begin(model)
    await chat.ask(title)
    await expect(listed(chat, title)).to_be_visible()
    if model == "fake/plain":
        await chat.ended()


async def in_chat_menu(chat: ChatPage, title: str, choice: str) -> None:
    await listed(chat, title).hover()
    await chat.choose_in(listed(chat, title).get_by_role("button", name="More for"), choice)


async def test_search_finds_chats_by_title(chat: ChatPage) -> None:
    await begun(chat, "About tides")
    await begun(chat, "About entropy")

    await chat.sidebar.get_by_role("searchbox", name="Search chats").press_sequentially("entr")

    await expect(listed(chat, "About tides")).to_have_count(0)
    await expect(listed(chat, "About entropy")).to_be_visible()


async def test_chat_is_renamed_in_the_list_and_in_its_header(chat: ChatPage) -> None:
    await begun(chat, "About tides")

    await in_chat_menu(chat, "About tides", "Rename")
    box = chat.sidebar.get_by_role("textbox", name="Title")
    await expect(box).to_be_focused()
    await box.fill("Moon and water")
    await box.press("Enter")

    await expect(listed(chat, "Moon and water")).to_be_visible()
    await expect(chat.page.get_by_role("main").get_by_role("textbox", name="Title")).to_have_value("Moon and water")
    await expect(chat.page).to_have_title("Moon and water · Playground")


async def test_title_is_edited_in_place(chat: ChatPage) -> None:
    await begun(chat, "About tides")
    title = chat.page.get_by_role("main").get_by_role("textbox", name="Title")

    await title.fill("Moon and water")
    await title.press("Enter")

    await expect(listed(chat, "Moon and water")).to_be_visible()
    await expect(chat.page).to_have_title("Moon and water · Playground")


async def test_pinned_chat_stands_on_top_and_can_be_let_go(chat: ChatPage) -> None:
    await begun(chat, "About tides")
    await begun(chat, "About entropy")

    await in_chat_menu(chat, "About tides", "Pin")

    pinned = chat.sidebar.get_by_role("group", name="Pinned")
    await expect(pinned.get_by_role("listitem")).to_contain_text("About tides")
    await in_chat_menu(chat, "About tides", "Unpin")
    await expect(pinned).to_have_count(0)


async def test_header_says_whether_its_chat_is_pinned(chat: ChatPage) -> None:
    await begun(chat, "About tides")
    more = chat.page.get_by_role("button", name="More for this chat")

    await chat.choose_in(more, "Pin")

    await expect(chat.sidebar.get_by_role("group", name="Pinned")).to_be_visible()
    await more.click()
    await expect(chat.menu.get_by_role("button", name="Unpin")).to_be_visible()


async def test_deleted_chat_comes_back_with_undo(chat: ChatPage) -> None:
    await begun(chat, "About tides")
    await begun(chat, "About entropy")

    await in_chat_menu(chat, "About tides", "Delete")
    await expect(listed(chat, "About tides")).to_have_count(0)
    await chat.page.get_by_role("button", name="Undo").click()

    await expect(listed(chat, "About tides")).to_be_visible()


async def test_open_chat_that_is_deleted_leads_to_a_new_one_with_undo(chat: ChatPage) -> None:
    await begun(chat, "About tides")
    await chat.ended()

    await chat.choose_in(chat.page.get_by_role("button", name="More for this chat"), "Delete chat")

    await expect(chat.page).to_have_title("New chat · Playground")
    await chat.page.get_by_role("button", name="Undo").click()
    await expect(listed(chat, "About tides")).to_be_visible()


async def test_answer_that_ends_elsewhere_is_marked_until_it_is_seen(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str], gate_of: Callable[[str], str]
) -> None:
    model = fresh("gated")
    await begun(chat, "About tides", model)
    await begun(chat, "About entropy")
    await expect(listed(chat, "About tides").get_by_role("img", name="working")).to_be_visible()

    await provider.open(gate_of(model))

    unread = listed(chat, "About tides").get_by_role("img", name="unread")
    await expect(unread).to_be_visible()
    await listed(chat, "About tides").get_by_role("link").click()
    await chat.ended()
    await expect(unread).to_have_count(0)


async def test_answer_that_ends_in_view_is_not_marked(chat: ChatPage, profile: BrowserContext) -> None:
    await begun(chat, "About tides")
    await chat.ended()
    await chat.ask("More.")
    await chat.ended()

    other = await profile.new_page()
    await other.goto("/keys/")

    await expect(other.get_by_role("navigation", name="Chats").get_by_role("listitem")).to_contain_text("About tides")
    await expect(other.get_by_role("img", name="unread")).to_have_count(0)
    await expect(listed(chat, "About tides").get_by_role("img")).to_have_count(0)
