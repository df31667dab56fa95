"""A piece of growing Markdown, parsed: its nodes, their HTML, and where each may still take text.

Owns the reading of the parser's tokens for the stream; it shows nothing itself. Called by `growth.py` only.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from markdown_it.token import Token

from chat.markdown import code
from chat.markdown.canvas import Container, Leaf
from chat.markdown.parser import Span, is_too_deep, language, parse, spans, to_html
from chat.markdown.render import BLOCK_CLOSE, BLOCK_OPEN
from chat.markdown.sanitise import sanitise
from chat.markdown.text import escape_text

LISTS = ("bullet_list_open", "ordered_list_open")
_TEXT_BLOCKS = ("paragraph_close", "heading_close")
# An item that begins with plain content on its first line; others (tabs, indented code) stay closed to the stream.
_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)]) {1,4}(?=[^\s])")


@dataclass(frozen=True, slots=True)
class Parsed:
    """Tokens of a document, and its lines, to which the tokens' maps point."""

    lines: Sequence[str]
    tokens: Sequence[Token]

    @classmethod
    def of(cls, text: str) -> "Parsed":
        return cls(text.split("\n"), parse(text))

    @property
    def is_too_deep(self) -> bool:
        return is_too_deep(self.tokens)

    @property
    def ends_in_table(self) -> bool:
        """Whether a line of text added now would be a row."""
        endings = takewhile(lambda token: token.nesting == -1, reversed(self.tokens))
        return any(token.type == "table_close" for token in endings)

    def nodes(self) -> list[Span]:
        return list(spans(self.tokens, 0, len(self.tokens)))

    def first(self, span: Span) -> Token:
        return self.tokens[span[0]]

    def children(self, span: Span) -> list[Span]:
        """The nodes inside of span; for a table, the rows of its body."""
        start, end = span
        if self.tokens[start].type == "table_open":
            bodies = (index for index in range(start, end) if self.tokens[index].type == "tbody_open")
            start = next(bodies, end - 1)
            end = end - 1 if start < end - 1 else end
        return list(spans(self.tokens, start + 1, end - 1))

    def line(self, span: Span) -> int:
        token_map = self.first(span).map
        return token_map[0] if token_map else 0

    def item_column(self, item: Span, outer: int) -> int | None:
        """The column where the content of an item begins, None if that cannot be told from its first line."""
        line = self.lines[self.line(item)]
        match = _ITEM.match(line, outer)
        return match.end() if match and "\t" not in line[: match.end()] else None

    def html(self, span: Span, inside: Container) -> str:
        """The finished HTML of a node as a child of a container."""
        raw = to_html(self.tokens[span[0] : span[1]])
        if inside.kind == "table":
            return sanitise(f"<table>{raw}</table>")[len("<table>") : -len("</table>")]
        return sanitise(BLOCK_OPEN + raw + BLOCK_CLOSE if inside.kind == "root" else raw)

    def head(self, table: Span) -> str:
        """The HTML of a table up to its first body row, with nothing closed."""
        ends = (index for index in range(*table) if self.tokens[index].type == "thead_close")
        raw = to_html(self.tokens[table[0] : next(ends) + 1])
        return sanitise(raw + "</table></div>").removesuffix("</table></div>")

    def leaf(self, span: Span, inside: Container, *, is_open: bool) -> Leaf:
        """The node as a leaf. A fence that is open shows its complete lines without colours."""
        step, last = (" > ", BLOCK_CLOSE) if inside.kind == "root" else ("", "")
        if is_open and self.is_open_fence(span):
            fence = self.first(span)
            lines = fence.content[: fence.content.rfind("\n") + 1]
            opening = sanitise(code.opening(language(fence)) + code.CLOSING).removesuffix(code.CLOSING)
            html = (BLOCK_OPEN if last else "") + opening + escape_text(lines) + code.CLOSING + last
            return Leaf(html, f"{step and ' > .code'} > pre > code", code.CLOSING + last)
        html = self.html(span, inside)
        tags = self._open_tags(span)
        if not tags:
            return Leaf(html)
        closing = "".join(f"</{tag}>" for tag in reversed(tags)) + last
        path = "".join(f" > {tag}:last-child" for tag in tags)
        return Leaf(html, path if last else path.removeprefix(f" > {tags[0]}:last-child"), closing)

    def is_open_fence(self, span: Span) -> bool:
        """Whether a node is a fence that still lacks its closing line (CommonMark 4.5)."""
        fence = self.first(span)
        if fence.type != "fence" or not fence.map:
            return False
        begin, end = fence.map
        last = self.lines[end - 1].strip(" \t")
        return end - 1 == begin or not (last.startswith(fence.markup) and not last.strip(fence.markup[0]))

    def _open_tags(self, span: Span) -> list[str]:
        """The elements from the node to the paragraph or heading that ends it, [] if it ends in something else."""
        index = span[1] - 1
        tags: list[str] = []
        while index > span[0] and self.tokens[index].nesting == -1:
            tags.append(self.tokens[index].tag)
            index -= 1
        return tags if tags and self.tokens[index + 1].type in _TEXT_BLOCKS else []
