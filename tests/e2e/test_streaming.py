"""An answer as it is written: it streams, can be stopped, and survives whatever happens to the page."""

from collections.abc import Callable

from playwright.async_api import BrowserContext, expect

from tests.e2e.browser import IN_BROWSER, Provider
from tests.e2e.chat_page import ChatPage
from tests.fake_answers import PLAIN

pytestmark = IN_BROWSER
ALL_WORDS = " ".join(f"word{number}" for number in range(1, 401))


async def test_answer_streams_into_the_page(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str], gate_of: Callable[[str], str]
) -> None:
    model = fresh("gated")
    await chat.begin(model)
    await chat.ask("Tell me about the sea.")

    await provider.release(gate_of(model), 3)

    await expect(chat.text_of()).to_have_text("The sea is")
    await expect(chat.answer()).to_have_attribute("data-status", "streaming")
    await provider.open(gate_of(model))
    await chat.ended()
    await expect(chat.text_of()).to_have_text(PLAIN)


async def test_figures_stand_under_an_answer(chat: ChatPage) -> None:
    await chat.begin("fake/plain")
    await chat.ask("Tell me about the sea.")
    await chat.ended()

    await chat.answer().locator("summary", has_text="first").click()

    facts = chat.answer().locator("dl")
    await expect(facts).to_contain_text("stop")
    await expect(facts).to_contain_text("fake-provider")
    await expect(facts).to_contain_text("chatcmpl-fake")
    await expect(facts).to_contain_text("5 in, 13 out")
    await expect(chat.answer()).to_contain_text("$")


async def test_stop_keeps_the_text_so_far(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str], gate_of: Callable[[str], str]
) -> None:
    model = fresh("gated")
    await chat.begin(model)
    await chat.ask("Tell me about the sea.")
    await provider.release(gate_of(model), 4)
    await expect(chat.text_of()).to_have_text("The sea is calm")

    await chat.page.get_by_role("button", name="Stop", exact=True).click()

    await chat.ended("stopped")
    await expect(chat.text_of()).to_have_text("The sea is calm")
    await expect(chat.answer()).to_contain_text("Stopped by you.")
    await expect(chat.send_button).to_be_visible()


async def test_reload_in_mid_answer_loses_and_doubles_nothing_in_two_lanes(chat: ChatPage) -> None:
    await chat.begin("fake/slow:7", "fake/slow:9")
    await chat.ask("Count.")

    for word in ("word20 ", "word120 "):
        await expect(chat.text_of(1)).to_contain_text(word)
        await chat.page.reload()

    for lane in (0, 1):
        await chat.ended(lane=lane)
        await expect(chat.text_of(lane)).to_have_text(ALL_WORDS)
        assert (await chat.stored_text(lane)).strip() == ALL_WORDS


async def test_second_tab_shows_the_same_answer(
    chat: ChatPage,
    profile: BrowserContext,
    provider: Provider,
    fresh: Callable[[str], str],
    gate_of: Callable[[str], str],
) -> None:
    model = fresh("gated")
    await chat.begin(model)
    await chat.ask("Tell me about the sea.")
    await provider.release(gate_of(model), 2)
    await expect(chat.text_of()).to_have_text("The sea")

    other = ChatPage(await profile.new_page())
    await other.page.goto(chat.page.url)

    await expect(other.text_of()).to_have_text("The sea")
    await provider.open(gate_of(model))
    for tab in (chat, other):
        await tab.ended()
        await expect(tab.text_of()).to_have_text(PLAIN)


async def test_message_sent_in_one_tab_appears_in_another(chat: ChatPage, profile: BrowserContext) -> None:
    await chat.begin("fake/plain")
    await chat.ask("First.")
    other = ChatPage(await profile.new_page())
    await other.page.goto(chat.page.url)
    await expect(other.questions).to_have_count(1)

    await chat.ask("Second.")

    await expect(other.questions.last).to_contain_text("Second.")
    await other.ended()


async def test_streamed_markdown_is_what_a_reload_shows(chat: ChatPage) -> None:
    await chat.begin("fake/markdown")
    await chat.ask("Explain tides.")
    await chat.ended()
    streamed = await chat.text_of().inner_html()

    await chat.page.reload()

    await expect(chat.text_of().get_by_role("table")).to_be_visible()
    assert await chat.text_of().inner_html() == streamed


async def test_thoughts_can_be_followed_as_they_come(
    chat: ChatPage, provider: Provider, fresh: Callable[[str], str], gate_of: Callable[[str], str]
) -> None:
    model = fresh("musing")
    await chat.begin(model)
    await chat.ask("Tell me about the sea.")
    await provider.release(gate_of(model), 3)

    await chat.answer().locator("summary", has_text="Thinking…").click()

    await expect(chat.answer().get_by_text("The person wants")).to_be_visible()
    await provider.release(gate_of(model), 3)
    await expect(chat.answer().get_by_text("The person wants a short sentence.")).to_be_visible()
    await provider.open(gate_of(model))
    await chat.ended()
    await expect(chat.text_of()).to_have_text(PLAIN)


async def test_thoughts_are_folded_above_the_answer(chat: ChatPage) -> None:
    await chat.begin("fake/reasoning")
    await chat.ask("Tell me about the sea.")
    await chat.ended()

    await chat.answer().locator("summary", has_text="Thought for").click()

    await expect(chat.answer().get_by_text("The person wants a short sentence.")).to_be_visible()
    await expect(chat.text_of()).to_have_text(PLAIN)
