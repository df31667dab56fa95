"""Text that can be appended to an open block without parsing the block again.

Owns the fast ways through a growing paragraph and a growing code block. What they cannot decide is left to a parse.
Called by `stream.py` only.
"""

import re
from dataclasses import dataclass

from chat.markdown.holding import is_settled, is_undecided, may_wait
from chat.markdown.parser import parse_inline, to_html
from chat.markdown.sanitise import sanitise
from chat.markdown.text import escape_text

_PLAIN = re.compile(r"[^*_`\[\]$\\~<&\n]+")
_CONTINUES = re.compile(r"[ \t]*\n[ \t]*(?=[^\W\d_])")  # no block begins with a letter
_FENCE = re.compile(r"( *)(`{3,}|~{3,})")
_AMBIGUOUS = frozenset("*_`[]()$\\~<&!#>|")


class Flow:
    """One look at text that follows a paragraph or heading: the longest beginning that can be shown at once.

    ``html`` is that beginning (``taken`` characters), ``needs_parse`` says that a parse must decide about the rest.
    Inline markup that begins and ends in the text is rendered by itself; were the paragraph's end to make something
    else of it, the parse there would see that and draw the paragraph anew. ``parsed`` counts characters so rendered.
    """

    def __init__(self, text: str, before: str, *, is_heading: bool, is_settled: bool) -> None:
        self.is_settled = is_settled
        self.needs_parse = False
        self.taken = self.parsed = 0
        self._text = text
        self._before = before
        self._is_heading = is_heading
        self._pieces: list[str] = []
        while self.taken < len(text) and self._take_one():
            pass
        self.html = "".join(self._pieces)

    def _take_one(self) -> bool:
        """Take a run of plain text, a line end or a piece of markup; False where it must wait or be parsed."""
        plain = _PLAIN.match(self._text, self.taken)
        if plain:
            at_end = plain.end() == len(self._text)
            # White space at the end of a line is not shown; "!" may begin an image, "#" may end a heading.
            run = plain[0].rstrip(" \t\xa0!#") if at_end else plain[0]
            if self._text.startswith("\n", plain.end()):
                run = run.rstrip()
            if run:
                return self._take(escape_text(run), len(run)) and not at_end
            if at_end:
                return False
        return self._take_line_end() if self._text[self.taken].isspace() else self._take_markup()

    def _take(self, html: str, length: int) -> bool:
        self._pieces.append(html)
        self.taken += length
        return True

    def _take_line_end(self) -> bool:
        continues = None if self._is_heading else _CONTINUES.match(self._text, self.taken)
        if continues:
            return self._take("<br>", len(continues[0]))
        rest = self._text[self.taken :].lstrip()
        self.needs_parse = bool(rest) and not is_undecided(rest)
        return False

    def _take_markup(self) -> bool:
        end = self._text.find("\n", self.taken)
        is_whole_line = end >= 0
        piece = (self._text[self.taken : end] if is_whole_line else self._text[self.taken :]).rstrip()
        settled = is_settled(piece)
        if not settled and not is_whole_line and may_wait(piece):
            return False
        if not self.is_settled:
            self.needs_parse = True
            return False
        self.is_settled = settled
        return self._take(self._inline(piece), len(piece))

    def _inline(self, piece: str) -> str:
        """Render markup with the character before it, which decides whether it may open (CommonMark 6.2)."""
        before = self._text[self.taken - 1] if self.taken else self._before
        if before.isspace() or before in _AMBIGUOUS:
            before = ""
        self.parsed += len(piece)
        return sanitise(to_html(parse_inline(before + piece))).removeprefix(escape_text(before))


@dataclass(frozen=True, slots=True)
class CodeLines:
    """What stands before the lines of an open fence (its list item's ``column``, then ``indent``), and what ends it."""

    column: int
    indent: int
    closing: re.Pattern[str]

    @classmethod
    def of(cls, first_line: str, column: int) -> "CodeLines | None":
        """Read a fence's first line; None if it is not one that can be followed line by line."""
        match = _FENCE.match(first_line, column)
        if match is None:
            return None
        mark = match[2]
        closing = re.compile(rf" {{0,{column + 3}}}{mark[0]}{{{len(mark)},}}[ \t]*")
        return cls(column, len(match[1]), closing)

    def take(self, text: str) -> tuple[str, int]:
        """Return the content of the complete lines at the beginning of text, and how much of text that is.

        It stops before a line that ends the block, or that may.
        """
        lines: list[str] = []
        length = 0
        for line in text.split("\n")[:-1]:
            margin = len(line) - len(line.lstrip(" "))
            if self.closing.fullmatch(line) or (margin < self.column and line.strip()):
                break
            lines.append(line[min(margin, self.column + self.indent) :] + "\n")
            length += len(line) + 1
        return "".join(lines), length
