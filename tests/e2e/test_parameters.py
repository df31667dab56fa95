"""The drawer: what is set there is what is sent, what is wrong is said beside it, and lanes share on request."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import Locator, expect

from tests.e2e.browser import IN_BROWSER, Provider
from tests.e2e.chat_page import ChatPage

pytestmark = IN_BROWSER


async def put(drawer: Locator, name: str, value: str) -> None:
    """Type a value and wait until it was saved, or refused."""
    async with drawer.page.expect_response("**/parameters/"):
        await drawer.get_by_role("textbox", name=name, exact=True).fill(value)


async def sent(chat: ChatPage, provider: Provider, model: str, lane: int = 0) -> dict[str, Any]:
    await chat.ask("Hello.")
    await chat.ended(lane=lane)
    return (await provider.bodies(model))[-1]


async def test_only_what_was_set_is_sent(chat: ChatPage, provider: Provider, fresh: Callable[[str], str]) -> None:
    model = fresh("plain")
    await chat.begin(model)
    drawer = await chat.open_drawer()

    await put(drawer, "Temperature", "0")
    await put(drawer, "Max tokens", "64")

    body = await sent(chat, provider, model)
    assert (body["temperature"], body["max_tokens"]) == (0, 64)
    assert "top_p" not in body


async def test_slider_sets_the_number_and_the_reset_takes_it_back(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    model = fresh("plain")
    await chat.begin(model)
    drawer = await chat.open_drawer()
    number = drawer.get_by_role("textbox", name="Temperature")

    async with chat.page.expect_response("**/parameters/"):
        await drawer.get_by_role("slider", name="Temperature").fill("1.5")
    await expect(number).to_have_value("1.5")
    await expect(chat.lane(0).get_by_role("button", name="Parameters")).to_contain_text("1")
    async with chat.page.expect_response("**/parameters/"):
        await drawer.get_by_role("button", name="Do not send Temperature").click()

    await expect(number).to_have_value("")
    assert "temperature" not in await sent(chat, provider, model)


async def test_wrong_value_is_refused_beside_its_field_and_stays_there(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    model = fresh("plain")
    await chat.begin(model)
    await chat.box.fill("A prompt in the making")
    drawer = await chat.open_drawer()

    await put(drawer, "Temperature", "hot")

    field = drawer.get_by_role("textbox", name="Temperature")
    await expect(drawer.locator(".field-error")).to_be_visible()
    await expect(field).to_have_value("hot")
    await expect(chat.box).to_have_value("A prompt in the making")
    await put(drawer, "Temperature", "0.5")
    await expect(drawer.locator(".field-error")).to_have_count(0)
    assert (await sent(chat, provider, model))["temperature"] == 0.5


async def test_differences_between_lanes_are_named(chat: ChatPage) -> None:
    await chat.begin("fake/plain", "fake/plain")
    differences = chat.page.locator("#differences")
    await expect(differences).to_be_hidden()

    await put(await chat.open_drawer(1), "Temperature", "1.2")

    await expect(differences).to_be_visible()
    await expect(differences).to_contain_text("Temperature")
    await expect(differences).to_contain_text("1.2")


async def test_parameters_are_applied_to_all_lanes(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    model = fresh("plain")
    await chat.begin("fake/plain", model)
    drawer = await chat.open_drawer(0)
    await put(drawer, "Temperature", "0.3")

    await drawer.get_by_role("button", name="Apply to all").click()

    await expect(chat.lane(1).get_by_role("button", name="Parameters")).to_contain_text("1")
    assert (await sent(chat, provider, model, lane=1))["temperature"] == 0.3


async def test_parameters_are_copied_from_another_lane_and_reset(chat: ChatPage) -> None:
    await chat.begin("fake/plain", "fake/plain")
    await put(await chat.open_drawer(0), "Temperature", "0.3")
    await chat.drawer.get_by_role("link", name="Model after").click()
    temperature = chat.drawer.get_by_role("textbox", name="Temperature")
    await expect(temperature).to_have_value("")

    await chat.drawer.get_by_role("button", name="Copy from A").click()
    await expect(temperature).to_have_value("0.3")
    await chat.drawer.get_by_role("button", name="Reset").click()

    await expect(temperature).to_have_value("")
    await expect(chat.lane(0).get_by_role("button", name="Parameters")).to_contain_text("1")


async def test_extra_body_fields_win_over_a_knob_and_say_so(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str]
) -> None:
    model = fresh("plain")
    await chat.begin(model)
    drawer = await chat.open_drawer()
    await put(drawer, "Temperature", "0.3")
    await drawer.get_by_text("Transport").click()

    await put(drawer, "Extra body fields", '{"temperature": 1, "service_tier": "flex"}')

    await expect(drawer).to_contain_text("Overridden by extra body fields.")
    body = await sent(chat, provider, model)
    assert (body["temperature"], body["service_tier"]) == (1, "flex")


async def test_drawer_outlines_its_lane_and_gives_focus_back(chat: ChatPage) -> None:
    await chat.begin("fake/plain", "fake/plain")
    await chat.open_drawer(1)
    await expect(chat.lane(1)).to_have_attribute("data-outlined", "")

    await chat.page.keyboard.press("Escape")

    await expect(chat.drawer).to_be_hidden()
    await expect(chat.lane(1)).not_to_have_attribute("data-outlined", "")
    await expect(chat.lane(1).get_by_role("button", name="Parameters")).to_be_focused()
