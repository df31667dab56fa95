"""The shape of the code itself: who may import whom, what every file opens with, what must not appear anywhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
CODE = sorted([*(ROOT / "chat").rglob("*.py"), *(ROOT / "playground").rglob("*.py"), ROOT / "manage.py"])
TESTS = sorted((ROOT / "tests").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SOURCES = [*CODE, *TESTS, *sorted((ROOT / "static").rglob("*.js")), *sorted((ROOT / "static").rglob("*.css"))]

# Lower layers first; a package imports only from its own layer and those before it.
LAYERS = [
    {"prepared"},
    {"providers", "parameters", "parameter_kinds", "markdown", "metrics", "request_ids", "database", "relay"},
    {"audit", "csv_download"},
    {"accounts", "local"},
    {"notices"},
    {"catalogue"},
    {"keys"},
    {"usage", "picker"},
    {"runs"},
    {"conversations"},
    {"snippets", "preferences", "sign_in", "offboarding"},
]
# On top: they gather and translate, and nothing below may know them.
EDGES = {
    "consumers",
    "routing",
    "urls",
    "admin",
    "administration",
    "management",
    "serving",
    "backup",
    "bounded",
    "health",
    "scrape",
    "pattern",
    "patterns",
    "people_patterns",
    "usage_patterns",
    "flow",
    "pump",
}
EDGE_FILES = {"urls.py", "admin.py", "grant_admin.py"}
# Gathers models and starts the app: imports everything, because Django looks there.
GATHERERS = {"models", "apps"}
VAGUE = re.compile(r"(^|_)(utils?|helpers?|managers?|services?|misc|common)(_|$)")


def rank(package: str) -> int | None:
    return next((number for number, layer in enumerate(LAYERS) if package in layer), None)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def package_of(path: Path) -> str:
    """Return the part below ``chat`` that a file belongs to."""
    return path.relative_to(ROOT / "chat").parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[str]:
    """Name every module a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def chat_packages_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("chat.")}


@pytest.mark.parametrize("path", [path for path in CODE if path.is_relative_to(ROOT / "chat")], ids=name_of)
def test_imports_point_downward(path: Path) -> None:
    package = package_of(path)
    own_rank = rank(package)
    if package in GATHERERS | EDGES | {"__init__", "migrations"} or path.name in EDGE_FILES:
        return

    found = chat_packages_imported(path) - {package}

    assert not found & EDGES
    if own_rank is not None:
        assert {other for other in found if (rank(other) or 0) > own_rank} == set()


def test_every_package_has_its_layer() -> None:
    packages = {package_of(path) for path in CODE if path.is_relative_to(ROOT / "chat")}
    placed = set().union(*LAYERS) | EDGES | GATHERERS | {"__init__", "migrations", "origin", "templatetags"}

    assert packages <= placed


@pytest.mark.parametrize("path", sorted((ROOT / "chat" / "providers").glob("*.py")), ids=name_of)
def test_providers_know_no_django(path: Path) -> None:
    assert not {name for name in imported(path) if name.split(".")[0] in ("django", "channels", "allauth")}


def test_only_the_client_knows_the_http_library() -> None:
    users = {name_of(path) for path in CODE if "httpx" in {name.split(".")[0] for name in imported(path)}}

    assert users == {path for path in users if path.startswith("chat/providers/")}


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=name_of)
def test_module_says_what_it_owns(path: Path) -> None:
    if "migrations" in path.parts or (path.name == "__init__.py" and not path.stat().st_size):
        return

    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_file_stays_short(path: Path) -> None:
    if "migrations" not in path.parts:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= (400 if path in TESTS else 300)


def test_functions_stay_short() -> None:
    long = [
        f"{name_of(path)}:{node.name}"
        for path in CODE
        if "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno >= 50  # type: ignore[operator]
    ]

    assert long == []


def test_no_module_has_a_vague_name() -> None:
    assert [name_of(path) for path in CODE if VAGUE.search(path.stem) and "migrations" not in path.parts] == []


def test_only_the_sanitiser_declares_text_safe() -> None:
    declares = re.compile(r"\bmark_safe\b|\bSafeString\(|\|\s*safe\b|autoescape off")
    found = [
        name_of(path)
        for path in [*CODE, *TEMPLATES]
        if not path.is_relative_to(ROOT / "chat" / "markdown") and declares.search(path.read_text(encoding="utf-8"))
    ]

    assert found == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_has_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"|javascript:|hx-on", text, re.IGNORECASE)
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text, re.IGNORECASE)


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_template_loads_nothing_from_elsewhere(path: Path) -> None:
    loads = r"<(?:script|link|img|iframe|audio|video|source|embed|object)\b[^>]*\b(?:src|href|data)=[\"'](?:https?:)?//"

    assert not re.search(loads, path.read_text(encoding="utf-8"), re.IGNORECASE)


def test_excluded_checks_name_what_they_exclude() -> None:
    bare = re.compile(r"#\s*(?:type:\s*ignore(?!\[)|noqa(?!:))")

    assert [name_of(path) for path in [*CODE, *TESTS] if bare.search(path.read_text(encoding="utf-8"))] == []
