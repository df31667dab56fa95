"""Reads a JSON object that a person typed, strictly enough that what is sent is what was meant.

Python's own reader takes NaN, doubled names and any depth; here each is an error with its place. Used by the box for
extra body fields; answers of providers are read by `decoding`, which forgives.
"""

import json
import math
from typing import Any

from chat.providers.requests import Json

MAX_CHARACTERS = 100_000
MAX_DEPTH = 32


class TypedJsonError(ValueError):
    """The text is not usable; the message completes a sentence that begins with the field's name."""


def parse_object(text: str) -> Json:
    """The JSON object in `text`. Raises TypedJsonError, which for bad syntax names line and column."""
    if len(text) > MAX_CHARACTERS:
        raise TypedJsonError(f"must be shorter than {MAX_CHARACTERS:,} characters")
    if _depth(text) > MAX_DEPTH:
        raise TypedJsonError(f"must not be nested deeper than {MAX_DEPTH} levels")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise TypedJsonError(f"is not valid JSON: {error.msg}, line {error.lineno}, column {error.colno}") from error
    except TypedJsonError:
        raise
    except ValueError as error:
        raise TypedJsonError("holds a number with too many digits") from error
    if not isinstance(value, dict):
        raise TypedJsonError('must be a JSON object, such as {"top_k": 40}')
    if not _encodable(value):
        raise TypedJsonError("holds characters that cannot be sent")
    return value


def _depth(text: str) -> int:
    """The deepest nesting of brackets outside strings; cheap, and before any parser can recurse."""
    depth = deepest = 0
    inside = escaped = False
    for character in text:
        if inside:
            inside = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    found: Json = {}
    for name, value in pairs:
        if name in found:
            raise TypedJsonError(f"names “{name[:60]}” twice")
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise TypedJsonError(f"must not hold {name}, which is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise TypedJsonError(f"holds {digits[:30]}, which is too large a number")
    return number


def _encodable(value: Json) -> bool:
    """False for half a surrogate pair, which UTF-8 cannot carry, and for NUL, which no database text can."""
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\\u0000" not in json.dumps(value).replace("\\\\", "")
