"""Sending: once, in order, taken back, kept over a reload, and never lost when it fails."""

from collections.abc import Callable

from playwright.async_api import expect

from tests.e2e.browser import IN_BROWSER, Complaints, Provider
from tests.e2e.chat_page import ChatPage

pytestmark = IN_BROWSER

# Where the second and the third line of a message stand in its box.
LINES = """box => {
  const text = box.firstChild, [first, second, third] = text.data.split("\\n");
  const place = (start, length) => {
    const range = document.createRange();
    range.setStart(text, start);
    range.setEnd(text, start + length);
    const { left, right } = range.getBoundingClientRect();
    return { left: Math.round(left), right: Math.round(right) };
  };
  const { left, right } = box.getBoundingClientRect();
  return {
    box: { left: Math.round(left), right: Math.round(right) },
    short: place(first.length + 1, second.length),
    latin: place(first.length + second.length + 2, third.length),
  };
}"""


async def test_double_click_on_send_sends_once(chat: ChatPage, provider: Provider, fresh: Callable[[str], str]) -> None:
    model = fresh("plain")
    await chat.begin(model)
    await chat.ask("First.")
    await chat.ended()

    await chat.box.fill("Only once.")
    await chat.send_button.dblclick()

    await expect(chat.answers).to_have_count(2)
    await chat.ended()
    await chat.page.reload()
    await expect(chat.answers).to_have_count(2)
    assert len(await provider.bodies(model)) == 2


async def test_double_click_on_the_first_send_begins_one_chat(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    model = fresh("plain")
    await chat.begin(model)

    await chat.box.fill("Only once.")
    await chat.send_button.dblclick()

    await chat.ended()
    await expect(chat.answers).to_have_count(1)
    assert len(await provider.bodies(model)) == 1


async def test_message_sent_meanwhile_waits_in_view_and_is_answered_in_turn(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str], gate_of: Callable[[str], str]
) -> None:
    model = fresh("gated")
    await chat.begin(model)
    await chat.ask("First.")
    await provider.release(gate_of(model), 2)
    await expect(chat.text_of()).to_have_text("The sea")

    await chat.ask("Second.")

    await expect(chat.answer()).to_have_attribute("data-status", "queued")
    await expect(chat.answer()).to_contain_text("Waits for the answer above")
    await provider.open(gate_of(model))
    await chat.ended()
    contents = [message["content"] for message in (await provider.bodies(model))[1]["messages"]]
    assert contents[0] == "First."
    assert contents[1].startswith("The sea is calm tonight")
    assert contents[2] == "Second."


async def test_waiting_message_can_be_taken_back_into_the_composer(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str], gate_of: Callable[[str], str]
) -> None:
    model = fresh("gated")
    await chat.begin(model)
    await chat.ask("First.")
    await provider.release(gate_of(model), 1)
    await chat.ask("Second thoughts.")

    await chat.answer().get_by_role("button", name="Take back").click()

    await expect(chat.box).to_have_value("Second thoughts.")
    await expect(chat.questions).to_have_count(1)
    await provider.open(gate_of(model))
    await chat.ended()


async def test_typed_text_survives_a_reload(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("First.")
    await chat.ended()

    async with chat.page.expect_response("**/draft/"):
        await chat.box.fill("Not sent yet")
    await chat.page.reload()

    await expect(chat.box).to_have_value("Not sent yet")


async def test_text_typed_right_before_a_reload_survives_it(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("First.")
    await chat.ended()

    await chat.box.fill("Not even saved yet")
    await chat.page.reload()

    await expect(chat.box).to_have_value("Not even saved yet")


async def test_sent_text_does_not_come_back_after_a_reload(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("First.")
    await chat.ended()

    async with chat.page.expect_response("**/draft/"):
        await chat.box.press_sequentially("Second.")
    await chat.box.press("Enter")
    await expect(chat.answers).to_have_count(2)
    await chat.ended()
    await chat.page.reload()

    await expect(chat.box).to_have_value("")


async def test_text_typed_while_sending_is_kept(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("First.")
    await chat.ended()

    await chat.box.fill("Second.")
    await chat.box.press("Enter")
    await chat.box.press_sequentially("Third")
    await expect(chat.answers).to_have_count(2)

    await expect(chat.box).to_have_value("Third")


async def test_line_break_is_typed_with_shift_and_sent_as_it_is(chat: ChatPage) -> None:
    await chat.begin("fake/plain")

    await chat.box.press_sequentially("one")
    await chat.box.press("Shift+Enter")
    await chat.box.press_sequentially("two")
    await chat.box.press("Enter")

    await expect(chat.questions).to_have_count(1)
    assert await chat.questions.locator(".message-user-text").inner_text() == "one\ntwo"


async def test_failed_answer_says_why_and_the_prompt_stands(chat: ChatPage) -> None:
    # A refusal of the key itself would switch it off for all tests.
    await chat.begin("fake/error-404")

    await chat.ask("Tell me about the sea.")

    await chat.ended("failed")
    await expect(chat.answer()).to_contain_text("model")
    await expect(chat.answer()).not_to_contain_text("Traceback")
    await expect(chat.questions).to_contain_text("Tell me about the sea.")
    await chat.answer().get_by_text("What the server answered").click()
    await expect(chat.answer()).to_contain_text("Model x/y does not exist")


async def test_failed_answer_can_be_tried_again(chat: ChatPage, fresh: Callable[[str], str]) -> None:
    await chat.begin("fake/error-500")
    await chat.ask("Tell me about the sea.")
    await chat.ended("failed")

    await chat.answer().get_by_role("button", name="Try again").click()

    await expect(chat.answer()).to_contain_text("2 / 2")
    await chat.ended("failed")


async def test_long_paste_folds_in_the_chat(chat: ChatPage) -> None:
    await chat.begin("fake/plain")

    await chat.box.fill("A long line of a log file. " * 200)
    await chat.box.press("Enter")

    await expect(chat.questions).to_contain_text("All 5,400 characters")


async def test_empty_message_is_not_sent(chat: ChatPage, complaints: Complaints) -> None:
    await chat.begin("fake/plain")
    await chat.ask("First.")
    await chat.ended()

    await chat.box.fill("   ")
    await chat.box.press("Enter")

    await expect(chat.page.get_by_role("alert").filter(has_text="Write something first.")).to_be_visible()
    await expect(chat.answers).to_have_count(1)


async def test_text_runs_the_way_its_letters_do(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("שלום עולם, זו שורה ארוכה\nקצר\nLeft")

    lines = await chat.questions.locator(".message-user-text").evaluate(LINES)

    assert lines["short"]["right"] == lines["box"]["right"]
    assert lines["latin"]["left"] == lines["box"]["left"]
