"""What one does with what was said: edit, switch versions, regenerate, delete with undo, continue, copy."""

import re
from collections.abc import Callable

from playwright.async_api import BrowserContext, expect

from tests.e2e.browser import IN_BROWSER, Provider
from tests.e2e.chat_page import ChatPage
from tests.fake_answers import PLAIN

pytestmark = IN_BROWSER


async def asked(chat: ChatPage, model: str, text: str = "First version.") -> None:
    await chat.begin(model)
    await chat.ask(text)
    await chat.ended()


async def test_edited_question_is_asked_again_and_both_versions_stay(chat: ChatPage) -> None:
    await asked(chat, "fake/echo")
    await chat.questions.hover()
    await chat.questions.get_by_role("button", name="Edit").click()

    box = chat.page.get_by_role("textbox", name="Edit the message")
    await expect(box).to_be_focused()
    await box.fill("Second version.")
    await box.press("Enter")

    await expect(chat.questions).to_contain_text("2 / 2")
    await expect(chat.text_of()).to_contain_text("Second version.")
    await chat.questions.get_by_role("button", name="Previous version").click()
    await expect(chat.questions).to_contain_text("1 / 2")
    await expect(chat.text_of()).to_contain_text("First version.")
    await chat.questions.get_by_role("button", name="Next version").click()
    await expect(chat.text_of()).to_contain_text("Second version.")


async def test_edit_can_be_cancelled(chat: ChatPage) -> None:
    await asked(chat, "fake/plain")
    await chat.questions.hover()
    await chat.questions.get_by_role("button", name="Edit").click()
    await chat.page.get_by_role("textbox", name="Edit the message").fill("No.")

    await chat.page.keyboard.press("Escape")

    await expect(chat.questions.locator(".message-user-text")).to_have_text("First version.")


async def test_answer_is_regenerated_beside_the_old_one(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    model = fresh("plain")
    await asked(chat, model)

    await chat.again("Again")

    await expect(chat.answer()).to_contain_text("2 / 2")
    await chat.ended()
    await expect(chat.text_of()).to_have_text(PLAIN)
    assert len(await provider.bodies(model)) == 2


async def test_answer_is_regenerated_at_another_temperature(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    model = fresh("plain")
    await asked(chat, model)

    await chat.again("1.2")

    await expect(chat.answer()).to_contain_text("2 / 2")
    await chat.ended()
    first, second = await provider.bodies(model)
    assert "temperature" not in first
    assert second["temperature"] == 1.2


async def test_answer_is_regenerated_by_another_model(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    other = fresh("echo")
    await asked(chat, "fake/plain")

    await chat.again("Another model or provider…")
    await chat.search_box.fill(other)
    await chat.search_box.press("Enter")

    await expect(chat.answer()).to_contain_text("2 / 2")
    await chat.ended()
    await expect(chat.text_of()).to_contain_text("First version.")
    assert await chat.answer().get_attribute("aria-label") == "echo"
    assert len(await provider.bodies(other)) == 1


async def test_deleted_message_comes_back_with_undo(chat: ChatPage) -> None:
    await asked(chat, "fake/plain")
    await chat.questions.hover()

    await chat.questions.get_by_role("button", name="Delete").click()
    await expect(chat.questions).to_have_count(0)
    await chat.page.get_by_role("button", name="Undo").click()

    await expect(chat.questions).to_contain_text("First version.")
    await expect(chat.text_of()).to_have_text(PLAIN)


async def test_double_click_on_delete_deletes_without_complaint(chat: ChatPage) -> None:
    await asked(chat, "fake/plain")
    await chat.questions.hover()

    await chat.questions.get_by_role("button", name="Delete").evaluate("button => (button.click(), button.click())")
    await expect(chat.questions).to_have_count(0)
    await chat.page.get_by_role("button", name="Undo").click()

    await expect(chat.questions).to_contain_text("First version.")
    await expect(chat.page.get_by_role("alert").filter(has_text="not there any more")).to_have_count(0)


async def test_answer_cut_off_by_its_limit_is_continued(chat: ChatPage) -> None:
    await asked(chat, "fake/length")
    await expect(chat.answer()).to_contain_text("Cut off at 6 tokens.")

    await chat.answer().get_by_role("button", name="Continue", exact=True).click()

    await expect(chat.answer()).to_contain_text("2 / 2")
    await chat.ended()
    await expect(chat.text_of()).to_contain_text(re.compile("breaks off in the ?This answer"))


async def test_answer_of_thoughts_alone_offers_a_higher_limit(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    model = fresh("only-reasoning")
    await chat.begin(model)
    drawer = await chat.open_drawer()
    async with chat.page.expect_response("**/parameters/"):
        await drawer.get_by_role("textbox", name="Max tokens").fill("50")
    await chat.ask("Think.")
    await chat.ended()

    await expect(chat.answer()).to_contain_text("tokens thinking and wrote no answer.")
    await chat.answer().get_by_role("button", name="Raise the limit and continue").click()

    await expect(chat.answer()).to_contain_text("2 / 2")
    await chat.ended()
    assert [body["max_tokens"] for body in await provider.bodies(model)] == [50, 100]


async def test_raw_text_and_rendering_take_turns(chat: ChatPage) -> None:
    await asked(chat, "fake/markdown")
    await expect(chat.text_of().get_by_role("heading", name="Tides")).to_be_visible()

    await chat.answer().get_by_role("button", name="Raw").click()

    await expect(chat.answer().locator("pre", has_text="# Tides")).to_be_visible()
    await expect(chat.text_of()).to_be_hidden()
    await chat.answer().get_by_role("button", name="Raw").click()
    await expect(chat.text_of()).to_be_visible()


async def test_answer_is_copied_as_it_was_written(chat: ChatPage) -> None:
    await chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await asked(chat, "fake/markdown")

    await chat.answer().get_by_role("button", name="Copy", exact=True).last.click()

    await expect(chat.page.locator("[data-copied]")).to_have_count(1)
    copied = await chat.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("# Tides\n\nWater **rises**")


async def test_code_is_copied_without_its_frame(chat: ChatPage) -> None:
    await chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await asked(chat, "fake/markdown")

    await chat.text_of().get_by_role("button", name="Copy").click()

    await expect(chat.text_of().get_by_role("button", name="Copied")).to_be_visible()
    copied = await chat.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("def height(t: float) -> float:\n    return")


async def test_edit_in_progress_survives_what_happens_in_another_tab(chat: ChatPage, profile: BrowserContext) -> None:
    await asked(chat, "fake/plain")
    await chat.questions.hover()
    await chat.questions.get_by_role("button", name="Edit").click()
    box = chat.page.get_by_role("textbox", name="Edit the message")
    await expect(box).to_be_focused()
    await box.fill("Half an ed")
    other = ChatPage(await profile.new_page())
    await other.page.goto(chat.page.url)

    await other.in_lane_menu(0, "Duplicate")

    await expect(chat.send_button).to_have_text("Send to 2")
    await expect(box).to_have_value("Half an ed")
    await expect(box).to_be_focused()
    await chat.page.keyboard.type("it")
    await box.press("Enter")
    await expect(chat.lane(0).get_by_role("article", name="You")).to_contain_text("Half an edit")
