"""Markdown without its marks, for "copy as plain text" and for screen reader announcements.

Owns the plain form of every element; it makes no HTML. Called by conversation views.
"""

from collections.abc import Iterator, Sequence

from markdown_it.token import Token

from chat.markdown.parser import is_too_deep, parse
from chat.markdown.render import MAX_RENDERED
from chat.markdown.text import normalise


def plain(text: str) -> str:
    """Return text without Markdown: lists keep their marks, tables become tab-separated lines, code stays as it is."""
    text = normalise(text)
    tokens = parse(text) if len(text) <= MAX_RENDERED else []
    if not tokens or is_too_deep(tokens):
        return text.strip()
    return "\n".join(_Writer().lines(tokens)).strip()


class _Writer:
    """Walks tokens once; knows the lists it is in (next number, or None for bullets) and the table row."""

    def __init__(self) -> None:
        self._numbers: list[int | None] = []
        self._mark = ""
        self._row: list[str] | None = None

    def lines(self, tokens: Sequence[Token]) -> Iterator[str]:
        """Yield lines, with a blank one after each top-level block."""
        for token in tokens:
            yield from self._line(token)
            if token.level == 0 and token.nesting <= 0 and token.type != "inline":
                yield ""

    def _line(self, token: Token) -> Iterator[str]:
        if token.tag in ("ul", "ol"):
            self._list(token)
        elif token.type == "list_item_open":
            self._mark = self._next_mark()
        elif token.type == "tr_open":
            self._row = []
        elif token.type == "tr_close":
            yield "\t".join(self._row or ())
            self._row = None
        elif self._row is not None and token.type == "inline":
            self._row.append(_inline(token))
        elif token.content:
            yield from self._indented(_inline(token) if token.type == "inline" else token.content.strip("\n"))

    def _list(self, token: Token) -> None:
        if token.nesting == -1:
            self._numbers.pop()
            self._mark = ""
        else:
            self._numbers.append(int(token.attrGet("start") or 1) if token.tag == "ol" else None)

    def _next_mark(self) -> str:
        number = self._numbers[-1]
        if number is None:
            return "- "
        self._numbers[-1] = number + 1
        return f"{number}. "

    def _indented(self, content: str) -> Iterator[str]:
        margin = "  " * (len(self._numbers) - 1)
        first, *rest = content.split("\n")
        yield margin + self._mark + first
        hanging = margin + "  " * bool(self._numbers)
        yield from (hanging + line for line in rest)
        self._mark = "  " * bool(self._numbers)


def _inline(token: Token) -> str:
    """Join the words; a link is followed by its address where its words are not the address."""
    words: list[str] = []
    target, begin = "", 0
    for child in token.children or ():
        if child.type == "link_open":
            target, begin = str(child.attrGet("href") or ""), len(words)
        elif child.type == "link_close":
            label = "".join(words[begin:])
            words.extend([] if target in (label, f"mailto:{label}") else [f" ({target})"])
        else:
            words.append(_word(child))
    return "".join(words)


def _word(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "\n"
    if token.type == "task_box":
        return "[x] " if token.info else "[ ] "
    return token.content
