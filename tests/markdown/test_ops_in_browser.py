"""Ops as a browser with htmx applies them: the proof that `dom.py`, which the other tests use, applies them alike."""

import shutil
from collections.abc import Iterator

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Page, sync_playwright

from chat.markdown.ops import op_markup
from chat.markdown.stream import BlockStream
from tests.markdown.samples import chunks
from tests.markdown.test_stream_equals_render import ANSWER

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]

# What the socket extension does with a frame (django-htmx, ext/hx-ws-2.js).
RECEIVE = """() => {
  let api;
  htmx.defineExtension("probe", { init: (given) => { api = given; } });
  window.receive = (frame) => {
    const settling = api.makeSettleInfo(document.body);
    for (const child of Array.from(api.makeFragment(frame).children)) {
      api.oobSwap(api.getAttributeValue(child, "hx-swap-oob") || "true", child, settling);
    }
    api.settleImmediately(settling.tasks);
  };
}"""
COMPARE = """(html) => {
  const expected = document.createElement("div");
  expected.innerHTML = html;
  const body = document.querySelector("#answer-1-body");
  body.querySelectorAll('[class=""]').forEach((element) => element.removeAttribute("class"));
  return [body.innerHTML, expected.innerHTML];
}"""


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_content('<div id="answer-1-body" hx-disable></div>')
        page.add_script_tag(path=finders.find("django_htmx/htmx-2.js"))
        page.evaluate(RECEIVE)
        yield page
        browser.close()


@pytest.mark.parametrize("size", [3, 40])
def test_frames_of_ops_build_the_final_html_in_the_page(page: Page, size: int) -> None:
    stream, cursor = BlockStream(), 0
    for piece in [*chunks(ANSWER, [size]), None]:
        if piece is None:
            stream.finish()
        else:
            stream.feed(piece)
            stream.advance()
        frame = "".join(op_markup("answer-1-body", op) for op in stream.ops_since(cursor) or [])
        page.evaluate("frame => receive(frame)", f'<div id="other" hx-swap-oob="true"></div>{frame}')
        cursor = stream.cursor

    shown, expected = page.evaluate(COMPARE, str(stream.final_html))

    assert shown == expected
