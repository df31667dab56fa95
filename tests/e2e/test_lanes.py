"""Comparing: lanes come, go, move and are asked apart; none reads or harms another."""

from collections.abc import Callable

from playwright.async_api import expect

from tests.e2e.browser import IN_BROWSER, Provider
from tests.e2e.chat_page import ChatPage
from tests.fake_answers import PLAIN

pytestmark = IN_BROWSER


async def names(chat: ChatPage) -> list[str]:
    return await chat.page.get_by_role("main").get_by_role("button", name="Change model").all_inner_texts()


async def add(chat: ChatPage, model: str, start: str = "Copy this chat") -> None:
    await chat.page.get_by_role("button", name="Add model").click()
    await chat.picker.get_by_role("radio", name=start).check()
    await chat.search_box.fill(model)
    await chat.search_box.press("Enter")


async def test_added_model_gets_a_copy_of_the_chat(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    model = fresh("echo")
    await chat.begin("fake/plain")
    await chat.ask("First.")
    await chat.ended()

    await add(chat, model)

    await expect(chat.lane(1)).to_have_accessible_name("echo (B)")
    await expect(chat.text_of(1)).to_have_text(PLAIN)
    await expect(chat.answer(1)).to_have_accessible_name("plain")
    await chat.ask("Second.")
    await chat.ended(lane=1)
    (body,) = await provider.bodies(model)
    assert [message["content"] for message in body["messages"]] == ["First.", PLAIN, "Second."]


async def test_added_model_can_start_empty_and_be_asked_later(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("First.")
    await chat.ended()

    await add(chat, "fake/echo", "Start empty")

    await expect(chat.lane(1)).to_contain_text("Not asked")
    await chat.lane(1).get_by_role("button", name="Ask now").click()
    await chat.ended(lane=1)
    await expect(chat.text_of(1)).to_contain_text("First.")
    await expect(chat.text_of(1)).not_to_contain_text("The sea")


async def test_page_takes_the_shape_of_its_lanes_at_once(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("First.")
    await chat.ended()

    await chat.in_lane_menu(0, "Duplicate")

    await expect(chat.send_button).to_have_text("Send to 2")
    await chat.page.get_by_role("button", name="More for this chat").click()
    await expect(chat.menu.get_by_role("menuitemcheckbox", name="Turns start on one row")).to_be_visible()
    await chat.page.keyboard.press("Escape")
    await chat.in_lane_menu(0, "Duplicate")
    await expect(chat.send_button).to_have_text("Send to 3")
    await expect(chat.sidebar).to_be_hidden()


async def test_removed_lane_comes_back_with_undo(chat: ChatPage) -> None:
    await chat.begin("fake/plain", "fake/echo")
    await chat.ask("First.")
    await chat.ended(lane=0)
    await chat.ended(lane=1)

    await chat.in_lane_menu(1, "Remove from this chat")
    await expect(chat.send_button).to_have_text("Send")
    assert await names(chat) == ["plain"]
    await chat.page.get_by_role("button", name="Undo").click()

    await expect(chat.send_button).to_have_text("Send to 2")
    assert await names(chat) == ["plain", "echo"]
    await expect(chat.text_of(1)).to_contain_text("First.")


async def test_lanes_change_places(chat: ChatPage) -> None:
    await chat.begin("fake/plain", "fake/echo")
    await chat.ask("First.")
    await chat.ended(lane=0)
    await chat.ended(lane=1)

    await chat.in_lane_menu(0, "Move right")

    await expect(chat.lane(0)).to_have_accessible_name("echo (A)")
    assert await names(chat) == ["echo", "plain"]


async def test_message_goes_to_the_chosen_lanes_alone(chat: ChatPage) -> None:
    await chat.begin("fake/echo", "fake/plain")
    await chat.page.get_by_role("checkbox", name="B, plain").uncheck()
    await expect(chat.send_button).to_have_text("Send to 1")

    await chat.ask("For A alone.")

    await chat.ended()
    await expect(chat.text_of(0)).to_contain_text("For A alone.")
    await expect(chat.lane(1)).to_contain_text("Not asked")


async def test_failure_in_one_lane_leaves_the_other(chat: ChatPage) -> None:
    await chat.begin("fake/error-500", "fake/plain")

    await chat.ask("Tell me about the sea.")

    await chat.ended("failed", lane=0)
    await chat.ended("done", lane=1)
    await expect(chat.text_of(1)).to_have_text(PLAIN)


async def test_stopping_one_lane_leaves_the_other(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str], gate_of: Callable[[str], str]
) -> None:
    first, second = fresh("gated"), fresh("gated")
    await chat.begin(first, second)
    await chat.ask("Tell me about the sea.")
    for model in (first, second):
        await provider.release(gate_of(model), 2)
    for lane in (0, 1):
        await expect(chat.text_of(lane)).to_have_text("The sea")

    await chat.answer(0).get_by_role("button", name="Stop").click()

    await chat.ended("stopped", lane=0)
    await provider.open(gate_of(second))
    await chat.ended("done", lane=1)
    await expect(chat.text_of(1)).to_have_text(PLAIN)


async def test_stop_all_stops_every_lane(chat: ChatPage) -> None:
    await chat.begin("fake/slow:20", "fake/slow:20")
    await chat.ask("Count.")
    await expect(chat.text_of(1)).to_contain_text("word3")

    await chat.page.get_by_role("button", name="Stop all").click()

    await chat.ended("stopped", lane=0)
    await chat.ended("stopped", lane=1)


async def test_system_prompt_reaches_its_own_lane_alone(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    first, second = fresh("echo"), fresh("echo")
    await chat.begin(first, second)
    await chat.lane(1).get_by_text("Add a system prompt").click()
    await chat.lane(1).get_by_role("textbox", name="System prompt of").fill("You are terse.")
    await chat.lane(1).get_by_role("button", name="Save").click()
    await expect(chat.lane(1).locator("summary", has_text="You are terse.")).to_be_visible()

    await chat.ask("Hello.")

    await chat.ended(lane=0)
    await chat.ended(lane=1)
    assert [m["role"] for m in (await provider.bodies(first))[0]["messages"]] == ["user"]
    assert (await provider.bodies(second))[0]["messages"][0] == {"role": "system", "content": "You are terse."}


async def test_six_lanes_are_the_most(chat: ChatPage) -> None:
    await chat.begin(*["fake/plain"] * 6)

    await expect(chat.page.get_by_role("main").get_by_role("region")).to_have_count(6)
    await expect(chat.page.get_by_role("button", name="Add model")).to_have_count(0)
    widths = [box["width"] for lane in range(6) if (box := await chat.lane(lane).bounding_box())]
    assert min(widths) >= 360


async def test_turns_stand_below_each_other_wherever_one_reads(chat: ChatPage) -> None:
    await chat.page.set_viewport_size({"width": 1024, "height": 420})
    await chat.begin("fake/plain", "fake/markdown")
    for question in ("First.", "Second.", "Third."):
        await chat.ask(question)
        for lane in (0, 1):
            await chat.ended(lane=lane)

    for lane in (0, 1):
        answers = chat.lane(lane).locator("article.answer")
        boxes = [await answer.bounding_box() for answer in await answers.all()]
        edges = [edge for box in boxes if box is not None for edge in (box["y"], box["y"] + box["height"])]
        assert len(edges) == 6
        assert edges == sorted(edges)
