"""Bars of use by day as figures for an inline SVG: where each bar stands and how high it is. Pure; templates draw it.

A bar is stacked from the few things that count most, the rest together. It shows money where any was spent, else
tokens, else requests. The table beside it has the same figures for those who do not see it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Protocol

from chat.templatetags.figures import compact, dollars

WIDTH, HEIGHT = 720, 180
LEFT, BOTTOM, TOP = 64, 22, 8
# Its first series have a colour each; what is left shares the last one.
LETTERS = "abcdef"
OTHERS = "others"


class Use(Protocol):
    """What a line of a report says of its use."""

    @property
    def requests(self) -> int: ...
    @property
    def tokens(self) -> int: ...
    @property
    def spent(self) -> Decimal: ...


Told = Callable[[float], str]
MEASURES: tuple[tuple[str, Callable[[Use], float], Told], ...] = (
    ("Cost", lambda line: float(line.spent), lambda value: dollars(Decimal(repr(value)))),
    ("Tokens", lambda line: line.tokens, lambda value: compact(round(value))),
    ("Requests", lambda line: line.requests, lambda value: compact(round(value))),
)


@dataclass(frozen=True)
class Part:
    """A piece of a bar, in units of the drawing, written as the drawing takes them."""

    letter: str
    y: str
    height: str


@dataclass(frozen=True)
class Bar:
    """One day or month. ``title`` is read by those who point at it; ``label`` stands below, or nothing; a ``minor`` one
    only where there is room."""

    x: str
    middle: str
    width: str
    label: str
    title: str
    parts: list[Part]
    minor: bool = False


@dataclass(frozen=True)
class Chart:
    """All that the drawing needs."""

    measure: str
    bars: list[Bar]
    guides: list[tuple[str, str]]
    legend: list[tuple[str, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT


def chart(uses: Iterable[tuple[date, str, Use]], spans: Sequence[tuple[date, str, str]]) -> Chart | None:
    """Bars for ``spans``: the first day of each, what stands below its bar, and its name. None where nothing was used.

    ``uses`` belong to the span that begins on their date, and each to what is called by its text.
    """
    known = list(uses)
    found = next(((name, read, told) for name, read, told in MEASURES if any(read(use) for _, _, use in known)), None)
    if found is None:
        return None
    measure, read, told = found
    letters = _letters(known, read)
    sums: dict[date, dict[str, float]] = {}
    for begins, name, use in known:
        of_span = sums.setdefault(begins, {})
        letter = letters.get(name, LETTERS[-1])
        of_span[letter] = of_span.get(letter, 0.0) + read(use)
    top = _rounded_up(max(sum(of_span.values()) for of_span in sums.values()), whole=measure != "Cost")
    step = (WIDTH - LEFT) / len(spans)
    bars = [
        _bar(place, step, label, f"{name}: {told(sum(sums.get(begins, {}).values()))}", sums.get(begins, {}), top)
        for place, (begins, label, name) in enumerate(spans)
    ]
    labelled = [place for place, bar in enumerate(bars) if bar.label]
    for place in (place for number, place in enumerate(labelled) if number % 3):
        bars[place] = replace(bars[place], minor=True)
    others = {OTHERS: LETTERS[-1]} if len({name for _, name, _ in known}) > len(letters) else {}
    legend = [(letter, name) for name, letter in (letters | others).items()]
    return Chart(measure, bars, [(_at(share * top, top), told(share * top)) for share in (0, 0.5, 1)], legend)


def _letters(known: list[tuple[date, str, Use]], read: Callable[[Use], float]) -> dict[str, str]:
    """The things that count most, each with its letter; all of them where there are letters enough."""
    totals: dict[str, float] = {}
    for _, name, use in known:
        totals[name] = totals.get(name, 0.0) + read(use)
    names = sorted(totals, key=lambda name: (-totals[name], name))
    most = len(LETTERS) if len(names) <= len(LETTERS) else len(LETTERS) - 1
    return dict(zip(names[:most], LETTERS, strict=False))


def _bar(place: int, step: float, label: str, title: str, sums: dict[str, float], top: float) -> Bar:
    width = max(1.0, step * 0.72)
    x = LEFT + place * step + (step - width) / 2
    parts, below = [], 0.0
    for letter in sorted(sums):
        high = sums[letter] / top * (HEIGHT - BOTTOM - TOP)
        parts.append(Part(letter, f"{HEIGHT - BOTTOM - below - high:.1f}", f"{high:.1f}"))
        below += high
    return Bar(f"{x:.1f}", f"{x + width / 2:.1f}", f"{width:.1f}", label, title, parts)


def _at(value: float, top: float) -> str:
    return f"{HEIGHT - BOTTOM - value / top * (HEIGHT - BOTTOM - TOP):.1f}"


def _rounded_up(value: float, *, whole: bool) -> float:
    """The next of 1, 2, 4, 6, 8 or 10 times a power of ten, so that the guides are numbers that people read."""
    power = 10.0 ** (len(f"{value:.0f}") - 1) if value >= 1 else 10.0 ** int(f"{value:e}".rpartition("e")[2])
    top = next(power * factor for factor in (1, 2, 4, 6, 8, 10, 20) if value <= power * factor * (1 + 1e-9))
    return max(top, 2.0) if whole else top
