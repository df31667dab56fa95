"""Every text colour on every ground it stands on is readable: WCAG 2.2, 1.4.3 and 1.4.11, in light and in dark."""

import re
from pathlib import Path

import pytest

CSS = Path(__file__).resolve().parent.parent / "static" / "css"
PAIR = re.compile(r"--([\w-]+):\s*light-dark\((#[0-9a-f]{6}),\s*(#[0-9a-f]{6})\)")
ALIAS = re.compile(r"--([\w-]+):\s*var\(--([\w-]+)\)")
GROUNDS = ("paper", "surface", "sunk", "bubble", "hover")
COLUMNS = ("column-a", "column-b", "column-c", "column-d", "column-e", "column-f")


def colours(sheet: str) -> dict[str, tuple[str, str]]:
    """The colours that a stylesheet declares: name to (light, dark)."""
    css = (CSS / sheet).read_text()
    found = {name: (light, dark) for name, light, dark in PAIR.findall(css)}
    return found | {name: found[other] for name, other in ALIAS.findall(css) if other in found}


def luminance(colour: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, "relative luminance")."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


TOKENS = colours("tokens.css")
TEXT_PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in GROUNDS),
    *((column, ground) for column in COLUMNS for ground in (f"{column}-soft", "paper", "surface")),
    *((tone, ground) for tone in ("ok", "bad", "warn") for ground in (f"{tone}-soft", "paper", "surface")),
    *((ink, ground) for ink in ("ink", "ink-2") for ground in ("bad-soft", "warn-soft", "ok-soft", "accent-soft")),
    *(("accent", ground) for ground in GROUNDS),
    ("paper", "ink"),
    ("paper", "ink-2"),
]
EDGE_PAIRS = [*((edge, ground) for edge in ("focus", "line-strong") for ground in ("paper", "surface", "sunk"))]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_is_readable_on_its_ground(ink: str, ground: str, theme: int) -> None:
    ratio = contrast(TOKENS[ink][theme], TOKENS[ground][theme])

    assert ratio >= 4.5, f"{ink} on {ground}: {ratio:.2f}"


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGE_PAIRS)
def test_edges_that_say_something_are_visible(edge: str, ground: str, theme: int) -> None:
    ratio = contrast(TOKENS[edge][theme], TOKENS[ground][theme])

    assert ratio >= 3, f"{edge} on {ground}: {ratio:.2f}"


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_code_is_readable_on_its_paper(theme: int) -> None:
    code = colours("code.css")
    inks = [name for name in code if not name.endswith("-paper")]
    faint = [name for name in inks if contrast(code[name][theme], TOKENS["sunk"][theme]) < 4.5]

    assert inks
    assert not faint


def test_the_measure_agrees_with_known_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
