"""An answer that is being written, as HTML operations that all its watchers share.

Owns when growing Markdown is parsed and when text is appended as it is, so that the work and the bytes for each
character do not depend on the length of the answer. A draft feeds it; whichever watcher comes first in a frame calls
`advance`, and each reads `ops_since` its own cursor. It sends nothing and stores nothing.
"""

import re
from collections.abc import Callable

from django.utils.safestring import SafeString, mark_safe

from chat.markdown.canvas import Canvas, Leaf
from chat.markdown.flow import CodeLines, Flow
from chat.markdown.growth import Growth
from chat.markdown.holding import decided_length, is_settled, is_undecided
from chat.markdown.ops import Op, Snapshot
from chat.markdown.parsed import Parsed
from chat.markdown.render import BLOCK_CLOSE, MAX_RENDERED, PLAIN_OPEN, render
from chat.markdown.text import escape_text, normalise

CREDIT_PER_CHARACTER = 8  # characters that may be parsed for each one fed: the bound on all work
CREDIT_SAVED = 32_000  # characters; a stream that needed little may parse this much at once (about 20 ms)
MAX_RESTARTS = 3
_BLANK_LINE = re.compile(r"(?:\A|\n)[ \t]*\n")


class BlockStream:
    """Growing Markdown in, safe HTML operations out.

    ``feed`` any number of times, ``advance`` once a frame, ``finish`` once. The ops applied in order to an empty body
    give `snapshot().html`; after `finish` that equals `final_html`, unless `matches_final` says that the body must be
    replaced (as after a link reference that was defined after its use). Not safe for use by several threads at once,
    except that `final_html` and `matches_final` may be asked for in another thread after `finish`.
    ``on_parse`` is told the number of characters of each parse.
    """

    def __init__(self, on_parse: Callable[[int], None] = lambda characters: None) -> None:
        self._on_parse = on_parse
        self._canvas = Canvas()
        self._growth = Growth(self._canvas)
        self._text: list[str] = []
        self._length = 0
        self._fed: list[str] = []
        self._has_ink = False
        self._held = ""
        self._tail: list[str] = []
        self._tail_length = 0
        self._credit = CREDIT_SAVED
        self._code: CodeLines | None = None
        self._restarts = 0
        self._is_plain = self._is_unsettled = self._is_finished = False
        self._final: SafeString | None = None

    @property
    def cursor(self) -> int:
        """The number of ops so far."""
        return self._canvas.log.cursor

    @property
    def text(self) -> str:
        """All that was fed."""
        return "".join(self._text)

    @property
    def final_html(self) -> SafeString:
        """`render` of all that was fed, rendered when first asked for. Long answers: ask in a thread."""
        if self._final is None:
            self._final = render(self.text)
        return self._final

    @property
    def matches_final(self) -> bool:
        """Whether the ops so far give exactly `final_html`."""
        return self._canvas.html == self.final_html

    def feed(self, text: str) -> None:
        """Append text. Nothing is rendered until `advance`. Raises ValueError after `finish`."""
        if self._is_finished:
            raise ValueError("the stream is finished")
        if text:
            self._text.append(text)
            self._fed.append(text)
            self._has_ink = self._has_ink or not text.isspace()
            self._final = None

    def ops_since(self, cursor: int) -> list[Op] | None:
        """Return the ops from cursor on; None if the log no longer has them all: take a `snapshot` then."""
        return self._canvas.log.since(cursor)

    def snapshot(self) -> Snapshot:
        """Return what the ops so far add up to."""
        return Snapshot(mark_safe(self._canvas.html), self.cursor)  # only sanitised pieces are drawn

    def advance(self) -> None:
        """Turn what was fed since the last call into ops. Text whose meaning the next characters decide waits."""
        if self._has_ink:
            self._has_ink = False
            self._take_in(self._take())
            self._step()

    def _take_in(self, new: str) -> None:
        self._held += new
        self._length += len(new)
        self._credit = min(
            self._credit + CREDIT_PER_CHARACTER * len(new),
            max(CREDIT_SAVED, 2 * (self._tail_length + len(self._held))),
        )
        if self._length > MAX_RENDERED:
            self._go_plain()

    def finish(self) -> None:
        """Draw everything that still waits and close what is open."""
        if self._is_finished:
            return
        self._is_finished = True
        self._take_in(self._take() + normalise("".join(self._fed)))
        if not self._is_plain:
            self._parse(len(self._held), is_last=True)
        if self._is_plain:
            self._step()
        self._canvas.leave_to(1)

    def _take(self) -> str:
        """Return what was fed, normalised; a CR that may be half of a line end waits."""
        new = "".join(self._fed)
        self._fed = ["\r"] if new.endswith("\r") else []
        return normalise(new.removesuffix("\r"))

    def _step(self) -> None:
        """Show what can be shown of the held text."""
        if self._is_plain:
            self._append(escape_text(self._held), len(self._held))
        elif self._canvas.innermost.kind == "table" and self._canvas.leaf is None:
            self._step_table()
        elif self._code is not None:
            self._step_code(self._code)
        elif self._takes_text:
            self._step_text()
        elif not _is_waiting(self._held):
            self._parse_if_affordable(decided_length(self._held))

    def _step_table(self) -> None:
        """Parse complete rows; what stands after a blank line is another block."""
        if "\n" not in self._held:
            return
        blank = _BLANK_LINE.search(self._held)
        rows = self._held.rfind("\n") + 1 if blank is None else blank.start() and blank.start() + 1
        if rows:
            self._parse_if_affordable(rows)
        elif blank and not _is_waiting(self._held):
            self._parse_if_affordable(decided_length(self._held))

    def _step_code(self, code: CodeLines) -> None:
        """Append complete lines as they are; the closing line has the whole block drawn with its colours."""
        shown, length = code.take(self._held)
        self._append(escape_text(shown), length)
        lines = self._held.rfind("\n") + 1
        if lines and self._parse_if_affordable(lines):
            self._step()

    def _step_text(self) -> None:
        """Append to a paragraph what needs no look at the rest of it, then parse if a block may have begun."""
        before = self._tail[-1][-1:] if self._tail else ""
        flow = Flow(
            self._held, before, is_heading=self._growth.leaf_kind == "heading_open", is_settled=not self._is_unsettled
        )
        if flow.parsed:
            self._on_parse(flow.parsed)
        self._is_unsettled = not flow.is_settled
        self._append(flow.html, flow.taken)
        if flow.needs_parse:
            self._parse_if_affordable(decided_length(self._held))

    def _append(self, html: str, length: int) -> None:
        if length:
            self._canvas.append_text(html)
            self._tail.append(self._held[:length])
            self._tail_length += length
            self._held = self._held[length:]

    @property
    def _takes_text(self) -> bool:
        return self._canvas.leaf is not None and self._canvas.leaf.spot is not None

    def _parse_if_affordable(self, length: int) -> bool:
        """Parse the open block and the first held characters; without the credit for it, show them as they are."""
        if self._credit >= self._tail_length + length:
            self._parse(length)
            return True
        elif self._takes_text and self._code is None:
            shown = self._held[:length].rstrip()
            self._is_unsettled = True
            self._append(escape_text(shown).replace("\n", "<br>"), len(shown))
        return False

    def _parse(self, length: int, *, is_last: bool = False) -> None:
        source = "".join((*self._tail, self._held[:length]))
        self._held = self._held[length:]
        parsed = self._parsed("\n".join((*self._growth.skeleton, source)))
        if not is_last and parsed.ends_in_table and not source.endswith("\n"):
            source, self._held = self._without_last_line(source)
            parsed = self._parsed("\n".join((*self._growth.skeleton, source)))
        if parsed.is_too_deep:
            self._go_plain(source[self._tail_length :])
            return
        if self._growth.draw(parsed, is_last=is_last):
            self._keep_open_part(parsed)
        elif self._restarts < MAX_RESTARTS:
            self._restart(is_last=is_last)
        else:
            self._go_plain(source[self._tail_length :])

    def _without_last_line(self, source: str) -> tuple[str, str]:
        """Hold back a row that is not complete: a row is drawn once."""
        cut = max(source.rfind("\n") + 1, self._tail_length)
        return source[:cut], source[cut:] + self._held

    def _parsed(self, text: str) -> Parsed:
        self._on_parse(len(text))
        self._credit -= len(text)
        return Parsed.of(text)

    def _restart(self, *, is_last: bool) -> None:
        """Draw all anew, where the end of the text shows that what is open was taken for something else."""
        self._restarts += 1
        parsed = self._parsed(normalise(self.text).removesuffix(self._held))
        self._growth.redraw(parsed, is_last=is_last)
        self._keep_open_part(parsed)

    def _keep_open_part(self, parsed: Parsed) -> None:
        """Keep the source of the open leaf; of what follows it, what is not shown yet goes back to the held text."""
        first, *rest = parsed.lines[self._growth.leaf_line :] or [""]
        column = self._growth.column
        source = "\n".join((_blanked(first, column), *rest))
        is_code = self._growth.leaf_kind == "code" and "\n" in source
        self._code = CodeLines.of(first, column) if is_code else None
        shown = source[: source.rfind("\n") + 1] if self._code else source.rstrip()
        self._is_unsettled = not is_settled(shown[shown.rfind("\n") + 1 :])
        self._tail = [shown] if self._canvas.leaf else []
        self._tail_length = sum(map(len, self._tail))
        self._held = source[len(shown) :] + self._held if self._canvas.leaf else self._held

    def _go_plain(self, text: str = "") -> None:
        """Show the rest as it is: the answer is too long or too deep to be rendered."""
        if self._is_plain:
            return
        self._is_plain = True
        self._held = (text + self._held).lstrip()
        self._tail, self._tail_length = [], 0
        self._canvas.leave_to(1)
        block = PLAIN_OPEN + BLOCK_CLOSE
        self._canvas.set_leaf(Leaf(block, "", BLOCK_CLOSE))
        self._canvas.log.append(Op("", "beforeend", block))


def _is_waiting(text: str) -> bool:
    """Say whether nothing is there yet, or nothing of which one can tell what block it begins."""
    start = text.lstrip()
    return not start or is_undecided(start)


def _blanked(line: str, column: int) -> str:
    """Replace the list markers before column, which the skeleton has, by spaces."""
    margin = line[: len(line) - len(line.lstrip(" \t"))]
    return line if len(margin) >= column or "\t" in margin else " " * column + line[column:]
