"""What a character of a long answer costs beside one of a short answer, on the server and in the browser.

One container that grows to 100,000 characters is the worst that a renderer meets, so each shape is measured alone.
Compared are whole answers, as a person has them, and two stretches of one long answer, early and late: in those
nothing of a turn's own cost can hide that characters become dearer.
"""

import json
import time
from dataclasses import dataclass

from playwright.sync_api import BrowserContext

from bench import processes
from bench.browser import ask, is_answered, signed_in, work_seconds
from bench.report import Figure
from bench.texts import SHAPES

SHORT, LONG = 10_000, 100_000
SHORT_ANSWERS = 4
# Fast, to end in time; still some thirty frames for a short answer.
CHARACTERS_PER_SECOND = 8_000
STRETCH_SECONDS = 2.5
WORST_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds. ``browser`` is script, style and layout; ``main_thread`` is all that the page's thread did."""

    server: float = 0.0
    browser: float = 0.0
    main_thread: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.server + other.server, self.browser + other.browser, self.main_thread + other.main_thread)

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.server - other.server, self.browser - other.browser, self.main_thread - other.main_thread)


def measure() -> list[Figure]:
    figures = []
    with processes.upstream() as url, processes.playground() as server:
        for shape in SHAPES:
            lengths = [SHORT] * (SHORT_ANSWERS + 1) + [LONG]
            models = [[f"bench/text/{shape}/{length}/{CHARACTERS_PER_SECOND}"] for length in lengths]
            [person] = json.loads(server.run(f"from bench.seed import chats; chats({url!r}, 1, *{models!r})"))
            addresses = [f"{server.url}/c/{chat['id']}/" for chat in person["chats"]]
            with signed_in(server.url, person["session"]) as context:
                # The first answer only warms up.
                _, *short, long = [_stretches(context, address, server.process.pid) for address in addresses]
            figures += _figures(shape, [sum(stretches, Cost()) for stretches in short], long)
    return figures


def _stretches(context: BrowserContext, address: str, pid: int) -> list[Cost]:
    """What one answer costs, by stretches of equal time."""
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Performance.enable")
    page.goto(address, wait_until="networkidle")
    page.wait_for_timeout(200)

    def so_far() -> Cost:
        return Cost(processes.cpu_seconds(pid), *work_seconds(session))

    samples = [so_far()]
    deadline = time.monotonic() + 120
    ask(page, "Go.")
    while not is_answered(page):
        if time.monotonic() > deadline:
            raise RuntimeError("An answer did not end.")
        page.wait_for_timeout(STRETCH_SECONDS * 1000)
        samples.append(so_far())
    page.close()
    return [later - earlier for earlier, later in zip(samples, samples[1:], strict=False)]


def _figures(shape: str, short: list[Cost], long: list[Cost]) -> list[Figure]:
    whole = sum(long, Cost())
    mean = sum(short, Cost())
    scale = SHORT * len(short) / LONG
    # The first stretch holds the turn itself, the last two its end.
    early, late = long[1], long[-3]
    return [
        Figure("length", f"{shape}: server", whole.server / LONG * 1e6, "µs/char"),
        Figure("length", f"{shape}: server, long beside short", whole.server / mean.server * scale, "x", WORST_GROWTH),
        Figure("length", f"{shape}: server, late beside early", late.server / early.server, "x"),
        Figure("length", f"{shape}: browser", whole.browser / LONG * 1e6, "µs/char"),
        Figure("length", f"{shape}: browser's main thread", whole.main_thread / LONG * 1e6, "µs/char"),
        Figure(
            "length", f"{shape}: browser, long beside short", whole.browser / mean.browser * scale, "x", WORST_GROWTH
        ),
        Figure("length", f"{shape}: browser, late beside early", late.browser / early.browser, "x"),
    ]
