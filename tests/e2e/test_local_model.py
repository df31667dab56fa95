"""The model of this machine, for real: no token, no provider, an answer all the same."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.e2e.browser import IN_BROWSER, Complaints
from tests.e2e.chat_page import ChatPage
from tests.playground_process import PlaygroundProcess

pytestmark = IN_BROWSER
LOADING = 60_000


async def test_first_chat_of_a_new_installation_runs_on_this_machine(browser: Browser, tmp_path: Path) -> None:
    with PlaygroundProcess(tmp_path, LOCAL_MODEL="on") as server:
        complaints = Complaints(server.url)
        context = await browser.new_context(base_url=server.url)
        complaints.listen(context)
        chat = ChatPage(await context.new_page())
        await chat.page.goto(server.link)
        await chat.page.get_by_role("button", name="Sign in").click()

        await chat.page.get_by_role("button", name="One model, two temperatures").click()
        await expect(chat.box).to_have_value("Write one sentence about the sea.")
        await chat.box.press("Enter")

        for lane in (0, 1):
            answer = chat.answer(lane)
            await expect(answer).to_have_attribute("data-status", "done", timeout=LOADING)
            await expect(answer).to_contain_text("tok/s")
            text = await chat.text_of(lane).inner_text()
            assert len(text.split()) > 3
            await expect(chat.lane(lane)).to_have_accessible_name(f"SmolLM2-135M-Instruct ({'AB'[lane]})")

        await chat.ask("Tell me a long story about a lighthouse keeper.")
        await expect(chat.text_of()).not_to_be_empty()
        await chat.page.get_by_role("button", name="Stop all").click()
        await chat.ended("stopped")
        await context.close()
        assert complaints.unexpected == []
