"""A literal means in its language what the value means, whatever is in it."""

import ast
import json
import subprocess
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chat.snippets import literals
from tests.snippets.programs import NODE

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT | st.just("__proto__"), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.integers(0, 8))
def test_python_reads_its_literal_as_the_value(value: Any, indent: int) -> None:
    assert ast.literal_eval(literals.python(value, indent)) == value


@pytest.mark.parametrize("long", ["x" * 500, ["x" * 60, {"a": "y" * 60}, 1.5]], ids=["text", "list"])
def test_python_reads_long_literals_over_several_lines(long: Any) -> None:
    assert ast.literal_eval(literals.python({"long": long})) == {"long": long}


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=5, phases=[Phase.generate])
@given(st.lists(JSON, min_size=40, max_size=60))
def test_javascript_reads_its_literals_as_the_values(values: list[Any]) -> None:
    if NODE is None:
        pytest.skip("there is no Node")
    program = "\n".join(f"console.log(JSON.stringify({literals.javascript(value)}))" for value in values)

    out = subprocess.run([NODE, "-"], input=program, capture_output=True, text=True, check=True).stdout

    # JavaScript knows one kind of number, and writes large ones in full.
    assert [json.loads(line, parse_int=float) for line in out.strip().split("\n")] == json.loads(
        json.dumps(values), parse_int=float
    )


@given(TEXT)
def test_shell_reads_its_word_as_the_text(text: str) -> None:
    if "\x00" in text:
        return
    script = f"printf %s {literals.shell(text)}"

    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout == text.encode()


def test_here_document_ends_where_it_should() -> None:
    written = literals.as_json({"messages": ["JSON", "a\nJSON\nb"]})

    assert "JSON" not in written.split("\n")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "TRUE"),
        (None, "NULL"),
        (0, "0"),
        ('a"b\\c\nd', r'"a\"b\\c\nd"'),
        ("\u202e", r'"\u{202e}"'),
        ({"a b": 1, "if": 2, ".x": 3, "_y": 4, "`": 5}, "list(`a b` = 1, `if` = 2, .x = 3, `_y` = 4, `\\`` = 5)"),
        ([], "list()"),
    ],
)
def test_r_has_words_of_its_own(value: Any, written: str) -> None:
    assert literals.r(value) == written
