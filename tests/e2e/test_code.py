"""A call is taken away as code: from the head of a column, in the words of the client one uses."""

from playwright.async_api import expect

from tests.e2e.browser import IN_BROWSER
from tests.e2e.chat_page import ChatPage

pytestmark = IN_BROWSER


async def test_code_is_shown_for_each_client_and_follows_the_model(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("What is entropy?")
    await chat.ended()
    await chat.lane(0).get_by_role("button", name="Code", exact=True).click()
    panel = chat.page.get_by_role("tabpanel")
    await expect(panel).to_contain_text('{"role": "user", "content": "What is entropy?"}')

    await chat.page.get_by_role("tab", name="cURL").click()
    await expect(chat.page.get_by_role("tab", name="cURL")).to_have_attribute("aria-selected", "true")
    await expect(panel).to_contain_text('"model": "fake/plain"')
    await chat.page.get_by_label("Answer", exact=True).select_option("at once")
    await expect(panel).to_contain_text('"stream": false')

    await chat.open_picker()
    await chat.search_box.fill("fake/echo")
    await chat.search_box.press("Enter")

    await expect(panel).to_contain_text('"model": "fake/echo"')
    await expect(panel).to_contain_text("curl")


async def test_code_and_parameters_are_two_sides_of_one_drawer(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.open_drawer()

    await chat.page.get_by_role("link", name="Code").click()
    await expect(chat.page.get_by_role("tabpanel")).to_contain_text("Write your question here.")
    await chat.page.get_by_role("link", name="Parameters").click()

    await expect(chat.drawer).to_be_visible()
    await chat.page.keyboard.press("Escape")
    await expect(chat.drawer).to_be_hidden()


async def test_code_of_an_answer_is_in_its_menu(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("What is entropy?")
    await chat.ended()

    await chat.choose_in(chat.answer().get_by_role("button", name="More for this answer"), "Code")

    await expect(chat.page.get_by_role("complementary", name="Code of plain")).to_contain_text("for this answer")
