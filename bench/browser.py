"""A Chromium found on this machine, signed in at a playground, with the browser's own figures.

It knows how to sign in, to send and to read performance counters; scenarios say what is compared.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import BrowserContext, CDPSession, Page, sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Work of the page's own making; painting is left out, because a headless browser paints what nobody sees.
WORK = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


@contextmanager
def signed_in(url: str, session_key: str) -> Iterator[BrowserContext]:
    """A browser with an empty cache and nothing but the session's cookie."""
    if CHROMIUM is None:
        raise RuntimeError("No Chromium was found on this machine.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "playground_session", "value": session_key, "url": url}])
        yield context
        browser.close()


def work_seconds(session: CDPSession) -> tuple[float, float]:
    """What the page has spent so far: script, layout and style; and all of its main thread."""
    counters = session.send("Performance.getMetrics")["metrics"]
    values = {counter["name"]: float(counter["value"]) for counter in counters}
    return sum(values[name] for name in WORK), values["TaskDuration"]


def ask(page: Page, text: str) -> None:
    """Send a message."""
    page.get_by_role("textbox", name="Message").fill(text)
    page.get_by_role("button", name="Send").click()


def is_answered(page: Page) -> bool:
    """Whether an answer has ended. Asked now and then: a wait of the driver's would search the page at each frame."""
    return bool(page.evaluate("document.querySelector('article.answer[data-status=done]') !== null"))
