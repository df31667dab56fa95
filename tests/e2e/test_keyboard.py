"""Everything by keyboard: the page is used without a pointer."""

from playwright.async_api import expect

from tests.e2e.browser import IN_BROWSER
from tests.e2e.chat_page import ChatPage
from tests.fake_answers import PLAIN

pytestmark = IN_BROWSER


async def test_message_box_has_the_focus_at_once(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await expect(chat.box).to_be_focused()

    await chat.page.keyboard.type("Tell me about the sea.")
    await chat.page.keyboard.press("Enter")

    await chat.ended()
    await expect(chat.text_of()).to_have_text(PLAIN)
    await expect(chat.box).to_be_focused()


async def test_escape_stops_an_answer_when_nothing_is_open(chat: ChatPage) -> None:
    await chat.begin("fake/slow:20")
    await chat.ask("Count.")
    await expect(chat.text_of()).to_contain_text("word3")

    await chat.page.keyboard.press("Escape")

    await chat.ended("stopped")


async def test_escape_closes_the_drawer_before_it_stops_anything(chat: ChatPage) -> None:
    await chat.begin("fake/slow:20")
    await chat.ask("Count.")
    await expect(chat.text_of()).to_contain_text("word3")
    await chat.open_drawer()

    await chat.page.keyboard.press("Escape")

    await expect(chat.drawer).to_be_hidden()
    await expect(chat.answer()).to_have_attribute("data-status", "streaming")


async def test_arrow_up_edits_the_last_message(chat: ChatPage) -> None:
    await chat.begin("fake/echo")
    await chat.ask("First.")
    await chat.ended()

    await chat.box.press("ArrowUp")

    editor = chat.page.get_by_role("textbox", name="Edit the message")
    await expect(editor).to_be_focused()
    await chat.page.keyboard.type(" And more.")
    await chat.page.keyboard.press("Enter")
    await expect(chat.text_of()).to_contain_text("First. And more.")


async def test_shortcut_folds_the_sidebar_for_good(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await expect(chat.sidebar).to_be_visible()

    await chat.page.keyboard.press("Control+b")
    await expect(chat.sidebar).to_be_hidden()
    await chat.page.reload()

    await expect(chat.sidebar).to_be_hidden()
    await chat.page.keyboard.press("Control+b")
    await expect(chat.sidebar).to_be_visible()


async def test_shortcut_leads_to_the_search_of_chats(chat: ChatPage) -> None:
    await chat.begin("fake/plain")

    await chat.page.keyboard.press("Control+k")

    await expect(chat.sidebar.get_by_role("searchbox", name="Search chats")).to_be_focused()


async def test_shortcut_leads_to_the_search_of_chats_where_the_sidebar_lies_over_the_chat(chat: ChatPage) -> None:
    await chat.page.set_viewport_size({"width": 390, "height": 844})
    await chat.begin("fake/plain")

    await chat.page.keyboard.press("Control+k")

    await expect(chat.sidebar.get_by_role("searchbox", name="Search chats")).to_be_focused()


async def test_question_mark_shows_the_shortcuts_outside_of_text(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.box.press("?")
    await expect(chat.box).to_have_value("?")

    await chat.page.get_by_role("button", name="Theme").focus()
    await chat.page.keyboard.press("?")

    help_dialog = chat.page.get_by_role("dialog", name="Keyboard")
    await expect(help_dialog).to_be_visible()
    await chat.page.keyboard.press("Escape")
    await expect(help_dialog).to_be_hidden()


async def test_menu_is_opened_walked_and_left_by_keyboard(chat: ChatPage) -> None:
    await chat.begin("fake/plain", "fake/echo")
    more = chat.lane(0).get_by_role("button", name="More for this model")

    await more.focus()
    await chat.page.keyboard.press("Enter")
    await expect(chat.menu).to_be_visible()
    await chat.page.keyboard.press("ArrowDown")
    await expect(chat.menu.get_by_role("button", name="Duplicate")).to_be_focused()
    await chat.page.keyboard.press("Escape")

    await expect(chat.menu).to_have_count(0)
    await expect(more).to_be_focused()


async def test_first_tab_leads_past_the_sidebar(chat: ChatPage) -> None:
    await chat.page.goto("/models/")

    await chat.page.keyboard.press("Tab")

    await expect(chat.page.get_by_role("link", name="Skip to content")).to_be_focused()


async def test_focus_comes_back_to_what_opened_the_picker_though_it_came_anew(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    add = chat.page.get_by_role("button", name="Add model")
    await add.focus()
    await chat.page.keyboard.press("Enter")
    await expect(chat.search_box).to_be_focused()

    await chat.page.keyboard.type("fake/echo")
    await chat.page.keyboard.press("Enter")

    await expect(chat.lane(1)).to_have_accessible_name("echo (B)")
    await expect(add).to_be_focused()


async def test_focus_stays_on_the_model_that_was_changed(chat: ChatPage) -> None:
    await chat.begin("fake/plain", "fake/echo")
    change = chat.lane(1).get_by_role("button", name="Change model")
    await change.focus()
    await chat.page.keyboard.press("Enter")
    await expect(chat.search_box).to_be_focused()

    await chat.page.keyboard.type("fake/markdown")
    await chat.page.keyboard.press("Enter")

    await expect(chat.lane(1)).to_have_accessible_name("markdown (B)")
    await expect(change).to_be_focused()
