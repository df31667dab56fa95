"""Reads JSON of strangers: any value may be of any type, and nothing here ever raises because of that.

`decoding` and `refusals` look at providers' answers only through these functions, so that all text above the wire is
free of NUL characters and lone surrogates, which no database takes, and every number is finite and sane.
"""

import json
import math
from typing import Any

import orjson

LABEL_LENGTH = 200
# More tokens than any model reads or writes in one request.
MAX_COUNT = 1_000_000_000


def parse(data: bytes) -> object:
    """The JSON value in `data`. Raises ValueError if there is none.

    orjson is fast but refuses NaN, Infinity, half surrogate pairs and broken UTF-8, all of which servers send; then
    Python's own reader has a try, and its result is made clean.
    """
    try:
        return orjson.loads(data)
    except ValueError:
        try:
            return _scrubbed(json.loads(data.decode("utf-8", "replace")))
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def text(value: object) -> str:
    """`value` if it is a string, else ""; NUL becomes U+FFFD as CommonMark 2.3 asks."""
    if not isinstance(value, str):
        return ""
    return value.replace("\x00", "\ufffd") if "\x00" in value else value


def label(value: object) -> str:
    """A short string such as an id or a name, cut to 200 characters."""
    return text(value)[:LABEL_LENGTH]


def mapping(value: object) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """`value` if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def count(value: object) -> int | None:
    """A number of things: a whole number from 0 to a billion, else None."""
    amount = number(value)
    if amount is None or not 0 <= amount <= MAX_COUNT or amount != int(amount):
        return None
    return int(amount)


def timestamp(value: object) -> int | None:
    """A moment in seconds since the epoch, between 1970 and 5138, else None."""
    moment = number(value)
    return int(moment) if moment is not None and 0 <= moment < 1e11 else None


def number(value: object) -> float | None:
    """A finite number, else None. True and False are not numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _scrubbed(value: Any) -> Any:
    """The same value with every half surrogate pair replaced and whole ones joined."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_scrubbed(item) for item in value]
    if isinstance(value, dict):
        return {_scrubbed(name): _scrubbed(item) for name, item in value.items()}
    return value
