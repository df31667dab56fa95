"""The kinds of value a parameter can have: how typed text becomes a value, and how a value is typed and shown.

Each kind is three pure functions. `chat.parameters` is the only caller and owns the table, names and ranges.
A reader raises ValueError with the end of a sentence that begins with the parameter's label.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chat.providers.credential import contains_token
from chat.providers.headers import header_problem
from chat.providers.payload import RESERVED_FIELDS
from chat.providers.typed_json import parse_object

Range = tuple[float | None, float | None]
MAX_STOP_CHARACTERS = 500
SHOWN_CHARACTERS = 80
# Plain ASCII decimals: Python would also take "1_000", "nan" and other scripts' digits.
_NUMBER = re.compile(r"[+-]?(\d{1,40}\.?\d{0,40}|\.\d{1,40})([eE][+-]?\d{1,3})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_TRUE, _FALSE = frozenset({"true", "on", "yes", "1"}), frozenset({"false", "off", "no", "0"})
_ESCAPES = {"\\": "\\", "n": "\n", "r": "\r", "t": "\t", "s": " "}
_TOKEN_PROBLEM = "holds what looks like a Hugging Face token; save it on the Keys page instead"


class Kind(StrEnum):
    """What a parameter's value is."""

    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    STRINGS = "strings"
    OBJECT = "object"
    HEADERS = "headers"


@dataclass(frozen=True, slots=True)
class Conversion:
    """`read` typed text within a range or choices; `write` a value so that `read` gives it back; `show` it briefly."""

    read: Callable[[str, Range, tuple[str, ...]], Any]
    write: Callable[[Any], str]
    show: Callable[[Any], str]


def _read_number(text: str, limits: Range, _choices: tuple[str, ...]) -> float:
    if not _NUMBER.fullmatch(text.strip()):
        raise ValueError("must be a number, such as 0.7")
    return float(_within(float(text), limits))


def _read_integer(text: str, limits: Range, _choices: tuple[str, ...]) -> int:
    if not _INTEGER.fullmatch(text.strip()):
        raise ValueError("must be a whole number")
    return int(_within(int(text), limits))


def _within(value: float, limits: Range) -> float:
    low, high = limits
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"must be between {_bound(low)} and {_bound(high)}")
    return value


def _bound(limit: float | None) -> str:
    return "any" if limit is None else f"{limit:,}"


def _read_boolean(text: str, _limits: Range, _choices: tuple[str, ...]) -> bool:
    word = text.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be on or off")
    return word in _TRUE


def _read_choice(text: str, _limits: Range, choices: tuple[str, ...]) -> str:
    if text.strip() not in choices:
        raise ValueError(f"must be one of {', '.join(choices)}")
    return text.strip()


def _read_strings(text: str, limits: Range, _choices: tuple[str, ...]) -> list[str]:
    lines = [line for line in _LINE_BREAK.split(text) if line.strip(" \t")]
    _check_count(len(lines), limits)
    if any(len(line) > MAX_STOP_CHARACTERS for line in lines):
        raise ValueError(f"must be shorter than {MAX_STOP_CHARACTERS} characters each")
    if "\x00" in text:
        raise ValueError("must not hold NUL characters")
    return [_unescape(line) for line in lines]


def _check_count(count: int, limits: Range) -> None:
    if limits[1] is not None and count > limits[1]:
        raise ValueError(f"must be at most {limits[1]}")


def _unescape(line: str) -> str:
    return re.sub(r"\\([\\nrts])", lambda match: _ESCAPES[match[1]], line)


def _escape(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    # A line of nothing but spaces would be read as no line at all.
    return escaped if escaped.strip(" ") else escaped.replace(" ", "\\s")


def _read_object(text: str, _limits: Range, _choices: tuple[str, ...]) -> dict[str, Any]:
    value = parse_object(text)
    reserved = RESERVED_FIELDS.intersection(value)
    if reserved:
        raise ValueError(f"cannot set {' or '.join(sorted(reserved))}; that is done in the chat itself")
    if contains_token(text):
        raise ValueError(_TOKEN_PROBLEM)
    return value


def _read_headers(text: str, limits: Range, _choices: tuple[str, ...]) -> dict[str, str]:
    headers: dict[str, str] = {}
    lines = [line for line in _LINE_BREAK.split(text) if line.strip()]
    _check_count(len(lines), limits)
    for line in lines:
        name, colon, value = (part.strip() for part in line.partition(":"))
        _check_header(line, name if colon else "", value, headers)
        headers[name] = value
    return headers


def _check_header(line: str, name: str, value: str, seen: dict[str, str]) -> None:
    if not name:
        raise ValueError(f"must be lines of Name: value, unlike “{line.strip()[:60]}”")
    problem = _TOKEN_PROBLEM if contains_token(value) else header_problem(name, value)
    if problem:
        raise ValueError(f"cannot be sent: {name[:60]} {problem}")
    if name.lower() in {other.lower() for other in seen}:
        raise ValueError(f"name {name} twice")


def _write_number(value: float) -> str:
    return repr(int(value)) if float(value).is_integer() else repr(value)


def _write_object(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _write_headers(value: dict[str, str]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in value.items())


def _show_object(value: dict[str, Any]) -> str:
    return _clip(json.dumps(value, ensure_ascii=False))


def _clip(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


CONVERSIONS: dict[Kind, Conversion] = {
    Kind.NUMBER: Conversion(_read_number, _write_number, _write_number),
    Kind.INTEGER: Conversion(_read_integer, str, lambda value: f"{value:,}"),
    Kind.BOOLEAN: Conversion(_read_boolean, lambda on: "true" if on else "false", lambda on: "on" if on else "off"),
    Kind.CHOICE: Conversion(_read_choice, str, str),
    Kind.STRINGS: Conversion(
        _read_strings,
        lambda value: "\n".join(_escape(text) for text in value),
        lambda value: _clip(", ".join(json.dumps(text, ensure_ascii=False) for text in value)),
    ),
    Kind.OBJECT: Conversion(_read_object, _write_object, _show_object),
    # Names only: the value of a header may be somebody's secret.
    Kind.HEADERS: Conversion(_read_headers, _write_headers, lambda value: _clip(", ".join(value))),
}
