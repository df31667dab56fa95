"""JSON values as literals of the languages that snippets are written in.

Each function takes what JSON can hold and gives source text that means exactly that: no value is dropped for being
zero, false or empty, and no text can leave its quotes. Lines below the first are indented by ``indent`` spaces.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Literal = Callable[[Any, int], str]

# Longer ones are broken into lines.
WIDTH = 88
_JS_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")
_R_NAME = re.compile(r"(?:[A-Za-z]|\.(?![0-9]))[A-Za-z0-9._]*\Z")
_R_RESERVED = frozenset(
    ("if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE", "NULL", "Inf", "NaN")
    + ("NA", "NA_integer_", "NA_real_", "NA_complex_", "NA_character_")
)
_R_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def python(value: Any, indent: int = 0) -> str:
    """Python: ``True``, ``None``, quotes as ``repr`` sets them."""
    if isinstance(value, Mapping):
        items = [f"{python(str(name))}: {python(below, indent + 4)}" for name, below in value.items()]
        return _block("{", items, "}", indent)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _block("[", [python(below, indent + 4) for below in value], "]", indent)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if _plain(value) else repr(value)
    return repr(value)


def javascript(value: Any, indent: int = 0) -> str:
    """JavaScript: names unquoted where they can be."""
    if isinstance(value, Mapping):
        items = [f"{_javascript_name(str(name))}: {javascript(below, indent + 2)}" for name, below in value.items()]
        return _block("{", items, "}", indent, 2, " ")
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _block("[", [javascript(below, indent + 2) for below in value], "]", indent, 2)
    return json.dumps(value, ensure_ascii=not (isinstance(value, str) and _plain(value)))


def r(value: Any, indent: int = 0) -> str:
    """R: ``list()`` for objects and arrays alike, names in backticks where they need them."""
    if isinstance(value, Mapping):
        items = [f"{_r_name(str(name))} = {r(below, indent + 2)}" for name, below in value.items()]
        return _block("list(", items, ")", indent, 2)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _block("list(", [r(below, indent + 2) for below in value], ")", indent, 2)
    if isinstance(value, str):
        return '"' + "".join(_r_character(character) for character in value) + '"'
    if value is None or isinstance(value, bool):
        return {True: "TRUE", False: "FALSE", None: "NULL"}[value]
    return repr(value)


def as_json(value: Any, indent: int = 0) -> str:
    """JSON, for a shell's here-document: broken into lines, none of which can be taken for its end."""
    return json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n" + " " * indent)


def shell(value: str) -> str:
    """One word of a POSIX shell, in single quotes."""
    return "'" + value.replace("'", "'\\''") + "'"


def _block(start: str, items: list[str], end: str, indent: int, step: int = 4, space: str = "") -> str:
    if not items:
        return start + end
    line = f"{start}{space}{', '.join(items)}{space}{end}"
    if len(line) + indent <= WIDTH and "\n" not in line:
        return line
    margin = "\n" + " " * (indent + step)
    # R takes a comma after the last one for one more.
    last = "" if end == ")" else ","
    return f"{start}{margin}{f',{margin}'.join(items)}{last}\n{' ' * indent}{end}"


def _plain(text: str) -> bool:
    """Whether JSON writes it as Python and JavaScript do, with nothing in it that cannot be seen."""
    return text.replace("\n", "").replace("\t", "").isprintable()


def _javascript_name(name: str) -> str:
    # Written plainly, this one sets what an object inherits from.
    if name == "__proto__":
        return '["__proto__"]'
    return name if _JS_NAME.match(name) else json.dumps(name)


def _r_name(name: str) -> str:
    if _R_NAME.match(name) and name not in _R_RESERVED:
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _r_character(character: str) -> str:
    escaped = character.translate(_R_ESCAPES)
    return escaped if escaped != character or character.isprintable() else f"\\u{{{ord(character):x}}}"
