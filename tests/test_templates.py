"""What no template may hold, whoever wrote it: a strict policy for content and readable partials depend on it."""

import re
from pathlib import Path

import pytest
from django.template import Engine

from chat.templatetags.icons import ICONS, icon_sprite

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
SHEETS = sorted((ROOT / "static" / "css").glob("*.css"))
FORBIDDEN = {
    "inline style": re.compile(r"\sstyle="),
    "a style element": re.compile(r"<style"),
    "inline script": re.compile(r"<script(?![^>]*\ssrc=)"),
    "an event handler": re.compile(r"\s(on[a-z]+|hx-on[:-][^=]*)="),
    "evaluated values": re.compile(r"hx-vals=.js:|hx-vals=.javascript:"),
    "unescaped output": re.compile(r"\|\s*safe\b|autoescape off"),
    "a comment over several lines": re.compile(r"\{#(?![^\n]*#\})"),
    "something remote": re.compile(r"(src|href|action)=\"(https?:)?//(?!huggingface\.co/)"),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "templates"))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_holds_nothing_that_the_policy_forbids(path: Path) -> None:
    text = path.read_text()

    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_compiles(path: Path) -> None:
    assert Engine.get_default().get_template(name_of(path)).nodelist


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_what_htmx_fetches_has_a_way_without_it(path: Path) -> None:
    tags = re.findall(r"<(?:a|form)\b[^>]*\shx-(?:get|post)=[^>]*>", path.read_text())

    assert [tag for tag in tags if " href=" not in tag and " action=" not in tag] == []


def test_every_icon_used_is_in_the_sprite_and_none_is_carried_for_nothing() -> None:
    used = {name for path in TEMPLATES for name in re.findall(r'\{% icon "([\w-]+)" %\}', path.read_text())}

    assert used == set(ICONS)
    assert all(f'id="icon-{name}"' in icon_sprite() for name in ICONS)


def test_every_sheet_is_worn() -> None:
    worn = set(re.findall(r'@import url\("([\w-]+\.css)"\)', (ROOT / "static" / "css" / "main.css").read_text()))

    assert worn == {path.name for path in SHEETS} - {"main.css", "admin.css"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_opens_with_why_it_is_one_and_stays_small(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert lines[0].startswith("// ")
    assert len(lines) <= 80


def test_every_script_is_loaded() -> None:
    main = (ROOT / "static" / "js" / "main.js").read_text()

    assert set(re.findall(r'import "\./([\w-]+\.js)"', main)) == {path.name for path in SCRIPTS} - {"main.js"}
