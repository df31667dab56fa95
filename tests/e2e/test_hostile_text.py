"""Markup in whatever a model, a provider or a person writes stays text.

That no dialog opens and nothing is asked of elsewhere is seen to by ``complaints``.
"""

from urllib.parse import quote

from playwright.async_api import expect

from tests.e2e.browser import IN_BROWSER
from tests.e2e.chat_page import ChatPage
from tests.fake_answers import MARKUP

pytestmark = IN_BROWSER
LIVE = "script, style, iframe, object, embed, img, [onerror], [onclick], [style], a[href^='javascript']"


async def test_markup_of_a_model_is_inert_while_it_streams_and_after(chat: ChatPage) -> None:
    await chat.begin("fake/xss")
    await chat.ask("Attack.")
    await chat.ended()

    for _ in range(2):
        await expect(chat.text_of()).to_contain_text("<script>alert(1)</script>")
        await expect(chat.text_of()).to_contain_text("<div hx-get=/keys/ hx-trigger=load>hx</div>")
        assert await chat.page.get_by_role("main").locator(LIVE).count() == 0
        assert await chat.text_of().locator("[id], [hx-get], [hx-trigger], [data-hx-get], [class^=hx]").count() == 0
        await chat.page.reload()
        await chat.ended()


async def test_facts_from_a_provider_are_text(chat: ChatPage) -> None:
    await chat.begin("fake/xss")
    await chat.ask("Attack.")
    await chat.ended()

    await chat.answer().locator("summary").last.click()

    await expect(chat.answer().locator("dl")).to_contain_text(MARKUP)
    await expect(chat.answer().locator(".tool-call-name")).to_have_text(MARKUP)


async def test_error_of_a_provider_is_text(chat: ChatPage) -> None:
    await chat.begin("fake/error-xss")
    await chat.ask("Attack.")
    await chat.ended("failed")

    await chat.answer().get_by_text("What the server answered").click()

    await expect(chat.answer()).to_contain_text("<script>alert(1)</script>")
    assert await chat.page.get_by_role("main").locator(LIVE).count() == 0


async def test_prompt_and_title_are_text(chat: ChatPage) -> None:
    await chat.begin("fake/plain", prompt=quote(MARKUP))
    await chat.box.press("Enter")
    await chat.ended()

    await expect(chat.questions.locator(".message-user-text")).to_have_text(MARKUP)
    await expect(chat.sidebar.get_by_role("listitem")).to_contain_text(MARKUP)
    await expect(chat.page).to_have_title(f"{MARKUP} · Playground")
    assert await chat.page.get_by_role("main").locator(LIVE).count() == 0


async def test_system_prompt_is_text(chat: ChatPage) -> None:
    await chat.begin("fake/plain", "fake/plain")
    await chat.lane(0).get_by_text("Add a system prompt").click()
    await chat.lane(0).get_by_role("textbox", name="System prompt of").fill(f"</textarea>{MARKUP}")
    await chat.lane(0).get_by_role("button", name="Save").click()

    await expect(chat.lane(0).locator("summary", has_text=MARKUP)).to_be_visible()
    await chat.open_drawer()
    await expect(chat.drawer.get_by_role("textbox", name="System prompt")).to_have_value(f"</textarea>{MARKUP}")
    assert await chat.page.get_by_role("main").locator(LIVE).count() == 0
