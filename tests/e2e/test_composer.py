"""The composer's place: it grows with what is typed, and nothing that comes and goes stands on it."""

import pytest
from playwright.async_api import FloatRect, Locator, ViewportSize, expect

from tests.e2e.browser import IN_BROWSER
from tests.e2e.chat_page import ChatPage

pytestmark = IN_BROWSER
SIZES = [ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)]


async def box_of(element: Locator) -> FloatRect:
    box = await element.bounding_box()
    assert box is not None
    return box


@pytest.mark.parametrize("viewport", SIZES, ids=lambda size: str(size["width"]))
async def test_composer_grows_with_its_text_to_a_part_of_the_window(chat: ChatPage, viewport: ViewportSize) -> None:
    await chat.begin("fake/plain")
    empty = (await box_of(chat.box))["height"]

    await chat.box.fill("One\nTwo\nThree\nFour")
    four_lines = (await box_of(chat.box))["height"]
    await chat.box.fill("A line\n" * 200)
    many = (await box_of(chat.box))["height"]
    await chat.box.fill("")

    assert empty < 2 * 28
    assert 3 * empty < four_lines < 5 * empty
    assert 0.5 * viewport["height"] < many <= 0.61 * viewport["height"]
    assert (await box_of(chat.box))["height"] == empty
    await expect(chat.send_button).to_be_in_viewport()


@pytest.mark.parametrize("viewport", SIZES, ids=lambda size: str(size["width"]))
async def test_toast_stands_above_the_composer_and_the_way_to_the_latest(
    chat: ChatPage, viewport: ViewportSize
) -> None:
    await chat.begin("fake/long:9000", "fake/long:9000")
    await chat.ask("Tell me")
    await chat.ended(lane=0)
    await chat.box.fill("Something\nof\nseveral\nlines")
    await chat.in_lane_menu(1, "Remove from this chat")
    toast = chat.page.locator("[data-toast]")
    await expect(toast).to_be_visible()
    await expect(chat.page.locator(".lane")).to_have_count(1)
    await chat.page.locator("[data-scroll]").hover(position={"x": 100, "y": 150})
    await chat.page.mouse.wheel(0, -2000)
    jump = chat.page.get_by_role("button", name="Jump to latest")
    await expect(jump).to_be_visible()

    told, way = await box_of(toast), await box_of(jump)

    assert told["y"] + told["height"] <= way["y"]
    assert told["y"] + told["height"] <= (await box_of(chat.box))["y"]
