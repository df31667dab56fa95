"""Coming in, looking round, and the shape of every page at three widths."""

import re
from urllib.parse import quote, urlsplit

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.e2e.browser import IN_BROWSER
from tests.e2e.chat_page import ChatPage
from tests.e2e.conftest import Person
from tests.playground_process import PlaygroundProcess

pytestmark = IN_BROWSER
PAGES = ["/", "/models/", "/keys/", "/usage/", "/settings/"]
SIZES = [
    ViewportSize(width=1440, height=900),
    ViewportSize(width=1024, height=768),
    ViewportSize(width=390, height=844),
]
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitaenswitwe" * 6


async def sideways(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(await page.evaluate("document.documentElement.scrollWidth - innerWidth"))


async def test_link_signs_in_once(browser: Browser, served: PlaygroundProcess) -> None:
    link = served.run("from django.core.management import call_command; call_command('signin_link')")
    context = await browser.new_context(base_url=served.url)
    page = await context.new_page()

    await page.goto(link.split()[-1])
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("textbox", name="Message")).to_be_focused()
    await context.clear_cookies()
    await page.goto(link.split()[-1])

    await expect(page.get_by_role("main")).to_contain_text("used")
    await context.close()


async def test_signed_out_person_is_led_to_sign_in_and_back_out(chat: ChatPage) -> None:
    await chat.begin("fake/plain")

    await chat.page.get_by_role("button", name="person").click()
    await chat.page.get_by_role("button", name="Sign out").click()
    await chat.page.goto("/")

    await expect(chat.page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


async def test_address_opens_models_side_by_side_with_a_prompt(chat: ChatPage) -> None:
    await chat.page.goto(
        f"/?model=fake/plain,meta-llama/Llama-3.1-8B-Instruct:novita&prompt={quote('Hello, “you” & me')}"
    )

    await expect(chat.lane(0)).to_have_accessible_name("plain (A)")
    await expect(chat.lane(1)).to_have_accessible_name("Llama-3.1-8B-Instruct (B)")
    await expect(chat.lane(1).get_by_text("novita")).to_be_visible()
    await expect(chat.box).to_have_value("Hello, “you” & me")


async def test_theme_is_shown_at_once_and_kept(chat: ChatPage) -> None:
    await chat.begin("fake/plain")

    # Leaving a page ends what it has under way, on a busy machine even this.
    async with chat.page.expect_response("**/settings/theme/"):
        await chat.choose_in(chat.page.get_by_role("button", name="Theme"), "Dark")

    html = chat.page.locator("html")
    await expect(html).to_have_attribute("data-theme", "dark")
    await chat.page.goto("/settings/")
    await expect(html).to_have_attribute("data-theme", "dark")


async def test_starter_begins_a_comparison(chat: ChatPage) -> None:
    await chat.page.goto("/")

    await chat.page.get_by_role("button", name="One model, two temperatures").click()

    await expect(chat.page.get_by_role("main").get_by_role("region")).to_have_count(2)
    await expect(chat.box).to_have_value("Write one sentence about the sea.")
    await expect(chat.page.locator("#differences")).to_contain_text("1.2")


async def test_back_from_a_chat_leads_to_where_one_was(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("First.")
    await chat.ended()
    address = chat.page.url
    await chat.page.goto("/models/")

    await chat.page.go_back()

    await expect(chat.page).to_have_url(address)
    await expect(chat.answers).to_have_count(1)
    await chat.ask("Second.")
    await chat.ended()


@pytest.mark.parametrize("viewport", SIZES, ids=lambda size: str(size["width"]))
async def test_pages_fit_their_window(page: Page) -> None:
    for path in PAGES:
        await page.goto(path)

        await expect(page.get_by_role("main")).to_be_visible()
        assert (path, await sideways(page)) == (path, 0)


@pytest.mark.parametrize("viewport", SIZES, ids=lambda size: str(size["width"]))
async def test_chat_fits_its_window_whatever_is_in_it(chat: ChatPage) -> None:
    await chat.begin("fake/markdown", "fake/plain")
    await chat.ask(LONG_WORD)
    await chat.ended(lane=0)
    await chat.ended(lane=1)

    assert await sideways(chat.page) == 0
    for lane in (0, 1):
        overflow = await chat.lane(lane).evaluate("lane => lane.scrollWidth - lane.clientWidth")
        assert overflow <= 0


@pytest.mark.parametrize("viewport", [SIZES[-1]], ids=["390"])
async def test_phone_shows_one_lane_at_a_time(chat: ChatPage) -> None:
    await chat.begin("fake/plain", "fake/echo")
    await chat.ask("First.")
    await chat.ended(lane=1)
    await expect(chat.text_of(0)).to_be_in_viewport()
    await expect(chat.text_of(1)).not_to_be_in_viewport()

    await chat.page.get_by_role("navigation", name="Models").get_by_role("link", name="B").click()

    await expect(chat.text_of(1)).to_be_in_viewport()
    await expect(chat.text_of(0)).not_to_be_in_viewport()


@pytest.mark.parametrize("viewport", [SIZES[-1]], ids=["390"])
async def test_phone_leaves_the_reader_where_he_is_when_the_columns_come_anew(chat: ChatPage) -> None:
    await chat.begin("fake/long:9000", "fake/plain")
    await chat.ask("Tell me")
    await chat.ended(lane=0)
    await chat.ended(lane=1)
    await chat.lane(0).hover(position={"x": 100, "y": 150})
    await chat.page.mouse.wheel(0, -1500)
    await expect(chat.page.get_by_role("button", name="Jump to latest")).to_be_visible()
    place = await chat.lane(0).evaluate("lane => lane.scrollTop")

    await chat.in_lane_menu(0, "Duplicate")
    await expect(chat.page.locator(".lane")).to_have_count(3)

    assert await chat.lane(0).evaluate("lane => lane.scrollTop") == place


@pytest.mark.parametrize("viewport", [SIZES[-1]], ids=["390"])
async def test_phone_opens_the_list_of_chats_over_the_page(chat: ChatPage, person: Person) -> None:
    await chat.begin("fake/plain")
    await expect(chat.sidebar).to_be_hidden()

    await chat.page.get_by_role("button", name="Chats", exact=True).click()

    await expect(chat.sidebar).to_be_visible()
    await chat.page.keyboard.press("Escape")
    await expect(chat.sidebar).to_be_hidden()


async def test_page_loads_one_sheet_and_one_script_beside_htmx(chat: ChatPage) -> None:
    loaded: list[str] = []
    chat.page.on("response", lambda response: loaded.append(urlsplit(response.url).path))

    await chat.begin("fake/plain")
    await chat.ask("Hello")
    await chat.ended()

    files = {re.sub(r"\.\w{12}\.", ".", path) for path in loaded if path.startswith("/static/")}
    scripts = {"js/main.js", "django_htmx/htmx-2.min.js", "django_htmx/ext/hx-ws-2.min.js"}
    assert files - {"/static/icon.svg"} == {f"/static/{name}" for name in (*scripts, "css/main.css")}
