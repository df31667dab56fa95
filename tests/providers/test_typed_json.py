"""JSON that a person typed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.typed_json import TypedJsonError, parse_object


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1,\n "b": }', "line 2, column 7"),
        ("[1]", "must be a JSON object"),
        ("7", "must be a JSON object"),
        ('{"a": 1, "a": 2}', "“a” twice"),
        ('{"x": {"a": 1, "a": 2}}', "“a” twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": -Infinity}', "-Infinity"),
        ('{"a": 1e999}', "too large"),
        ('{"a": ' + "9" * 5000 + "}", "too many digits"),
        ('{"a":' * 40 + "1" + "}" * 40, "nested deeper than 32"),
        ("[" * 50_000, "nested deeper than 32"),
        ('{"a": "' + "x" * 100_000 + '"}', "shorter than"),
        ('{"a": "\\ud83d"}', "cannot be sent"),
        ('{"a": "\\u0000"}', "cannot be sent"),
        ('{"a\\u0000": 1}', "cannot be sent"),
        ("", "not valid JSON"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    with pytest.raises(TypedJsonError) as caught:
        parse_object(text)

    assert words in str(caught.value)


def test_brackets_in_strings_are_no_nesting() -> None:
    assert parse_object(json.dumps({"a": '\\"' + "[" * 1000})) == {"a": '\\"' + "[" * 1000}


def test_backslashes_before_digits_are_no_nul() -> None:
    assert parse_object(r'{"a": "\\u0000"}') == {"a": r"\u0000"}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abc"), values))
def test_every_right_object_is_read(value: dict[str, Any]) -> None:
    assert parse_object(json.dumps(value)) == value


@given(st.text(max_size=60) | st.text('{}[]":,\\0e', max_size=60))
def test_any_text_is_read_or_refused_with_a_reason(text: str) -> None:
    try:
        assert isinstance(parse_object(text), dict)
    except TypedJsonError as error:
        assert str(error)
