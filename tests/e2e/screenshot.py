"""Makes the picture in README: two models side by side, in a real browser, on a real server.

Run it with ``make screenshot``. The provider is the fake one, with two answers written here; everything else is as a
person would see it.
"""

import asyncio
import os
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from aiohttp import web
from django.conf import settings
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.e2e.browser import CHROMIUM, FLAGS
from tests.e2e.chat_page import ChatPage
from tests.fake_call import Call, scenario
from tests.fake_provider import FakeProvider
from tests.playground_process import PlaygroundProcess

PICTURE = "static/img/screenshot.png"
LLAMA, DEEPSEEK = "meta-llama/Llama-3.1-8B-Instruct:cerebras", "deepseek-ai/DeepSeek-R1:together"
QUESTION = "Explain entropy to a curious twelve-year-old, then give me the one formula that matters."
SYSTEM_PROMPT = "You explain physics with everyday things. Short sentences."
LLAMA_SAYS = """\
Entropy counts **how many ways** the small parts of a thing can be arranged without changing what you see.
A tidy desk has few arrangements that look tidy; a messy one has millions.

- Left alone, things drift to the arrangement that can happen in the most ways.
- That is why ice melts and milk never unmixes.

In symbols, with $W$ arrangements, $S = k \\ln W$."""
DEEPSEEK_THINKS = "They are twelve, so a deck of cards will do. Then one formula, with a number that they can check."
DEEPSEEK_SAYS = """\
Think of a shuffled deck. There is **one** way to be in order and about 8 × 10⁶⁷ ways not to be.
Entropy is the logarithm of that count.

```python
from math import factorial, log

deck = factorial(52)  # arrangements
entropy = log(deck)   # 156.4 nats
```

So “disorder” is only a nickname: what grows is the number of"""
OTHER_CHATS = """
from datetime import timedelta
from django.conf import settings
from django.test import Client
from django.utils import timezone
from chat.models import Conversation, Endpoint
from tests.factories import make_shared_key, make_user
anna = make_user("Anna", password=None)
make_shared_key(Endpoint.objects.get(kind="router"), anna, secret="hf_good_of_the_team_ab12")
now = timezone.now()
def chat(title, days, **fields):
    Conversation.objects.create(owner=anna, title=title, updated_at=now - timedelta(days=days), **fields)
chat("Prompt for release notes", 2, pinned=True)
chat("JSON from invoices", 0, answered_at=now)
chat("Sea poem", 0)
chat("Regex for Austrian IBANs", 3)
chat("Summaries, 3 models", 4)
chat("Tool calls with Qwen3", 5)
client = Client()
client.force_login(anna)
print(client.cookies[settings.SESSION_COOKIE_NAME].value)
"""


class TwoModels(FakeProvider):
    """The fake provider where each model has a scenario of its own."""

    def _call(self, request: web.Request, body: dict[str, object]) -> Call:
        call = super()._call(request, body)
        call.scenario = str(body["model"])
        return call


async def _say(call: Call, text: str, milliseconds: float, field: str = "content") -> None:
    for start in range(0, len(text), 4):
        await call.delta({field: text[start : start + 4]})
        await asyncio.sleep(milliseconds / 1000)


@scenario(LLAMA)
async def llama(call: Call) -> None:
    await asyncio.sleep(0.31)
    await _say(call, LLAMA_SAYS, 7)
    await call.end()


@scenario(DEEPSEEK)
async def deepseek(call: Call) -> None:
    """Stays in the middle of its last sentence, so that the picture shows an answer being written."""
    await asyncio.sleep(0.9)
    await _say(call, DEEPSEEK_THINKS, 40, "reasoning")
    await _say(call, DEEPSEEK_SAYS, 14)
    await asyncio.Event().wait()


async def _set(chat: ChatPage, **parameters: str) -> None:
    for label, value in parameters.items():
        field = chat.drawer.get_by_role("textbox", name=label, exact=True)
        if not await field.is_visible():
            await chat.drawer.locator("summary", has_text="Reproducible").click()
        async with chat.page.expect_response("**/parameters/"):
            await field.fill(value)


async def _compare(chat: ChatPage) -> None:
    """Ask both models, with settings that differ, and wait until there is something to look at."""
    await chat.begin(LLAMA, DEEPSEEK)
    await chat.open_drawer(0)
    await _set(chat, Temperature="0", **{"System prompt": SYSTEM_PROMPT})
    await chat.open_drawer(1)
    await _set(chat, Temperature="1.2", Seed="7", **{"System prompt": SYSTEM_PROMPT})
    await chat.ask(QUESTION)
    title = chat.page.get_by_role("main").get_by_role("textbox", name="Title")
    await title.fill("Explain entropy")
    await title.press("Enter")
    await chat.ended(lane=0)
    await expect(chat.text_of(1)).to_contain_text("what grows is the number of")
    await chat.open_drawer(1)
    await chat.box.focus()
    await chat.page.mouse.move(720, 640)


async def _browse(browser: Browser, server: PlaygroundProcess) -> Page:
    session = await asyncio.to_thread(server.run, OTHER_CHATS)
    context = await browser.new_context(
        base_url=server.url, viewport={"width": 1440, "height": 900}, color_scheme="light", reduced_motion="reduce"
    )
    await context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server.url}])
    return await context.new_page()


async def main() -> None:
    if CHROMIUM is None:
        raise SystemExit("There is no Chromium on this machine to take the picture with.")
    with tempfile.TemporaryDirectory() as data:
        async with TwoModels() as provider, async_playwright() as playwright:
            server = PlaygroundProcess(Path(data), HF_ROUTER_URL=provider.base_url, HF_HUB_URL=provider.hub_url)
            await asyncio.to_thread(server.__enter__)
            try:
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                page = await _browse(browser, server)
                await _compare(ChatPage(page))
                await page.screenshot(path=Path(settings.BASE_DIR) / PICTURE, animations="disabled", caret="hide")
                await browser.close()
            finally:
                server.__exit__()


if __name__ == "__main__":
    asyncio.run(main())
