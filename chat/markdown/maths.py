r"""Formulas in model text: where they begin and end, and their MathML.

Owns the delimiters ``$…$``, ``$$…$$``, ``\(…\)`` and ``\[…\]`` and the caps on length and depth. LaTeX goes in,
MathML of allowed elements with escaped text comes out; whatever fails is shown as its source.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from latex2mathml import exceptions
from latex2mathml.converter import convert_to_element
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

from chat.markdown.sanitise import MATHML_ATTRIBUTES, MATHML_TAGS
from chat.markdown.text import escape_text

if TYPE_CHECKING:
    from markdown_it.renderer import RendererProtocol
    from markdown_it.token import Token

MAX_LATEX = 2_000  # characters; the converter needs about 10 µs for each
MAX_DEPTH = 50  # nested elements; deeper trees overflow the stacks of converters and browsers
_CLOSERS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}
# The converter raises its own errors, and Python's own on input that it did not expect.
_CONVERSION_ERRORS: tuple[type[Exception], ...] = (
    *(error for error in vars(exceptions).values() if isinstance(error, type) and issubclass(error, Exception)),
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
)
_UNSUPPORTED = re.compile(r"\\(begin|end)\{(?:aligned|gather\*?|gathered|split|eqnarray\*?|multline\*?)\}")
_DECORATION = re.compile(r"\\(?:nonumber|notag|displaystyle|textstyle)\b|\\(?:label|tag)\{[^{}]*\}")


class _NotShown(ValueError):
    """The formula converts to something that is not shown: too deep, or an unknown command."""


def formula(latex: str, *, display: bool) -> str:
    """Return MathML for latex, or its escaped source when it is too long, too deep or not understood."""
    if len(latex) > MAX_LATEX:
        return _source(latex, display=display)
    return _convert(latex.strip(), display)


@lru_cache(maxsize=512)
def _convert(latex: str, display: bool) -> str:
    prepared = _DECORATION.sub("", _UNSUPPORTED.sub(r"\\\1{align*}", latex))
    try:
        return "".join(_serialise(convert_to_element(prepared, display="block" if display else "inline"), 0))
    except _CONVERSION_ERRORS:
        return _source(latex, display=display)


def _serialise(element: Element, depth: int) -> Iterator[str]:
    """Write MathML, escaping text that the converter leaves as it was (``\\text{<b>}``)."""
    text = unescape(element.text or "")
    if depth > MAX_DEPTH or (text.startswith("\\") and len(text) > 1):
        raise _NotShown(text)
    inner = [piece for child in element for piece in _serialise(child, depth + 1)]
    if element.tag not in MATHML_TAGS:
        yield from inner
        return
    attributes = "".join(
        f' {name}="{escape_text(value).replace(chr(34), "&quot;")}"'
        for name, value in element.attrib.items()
        if name in MATHML_ATTRIBUTES or (element.tag == "math" and name == "display")
    )
    yield f"<{element.tag}{attributes}>{escape_text(text)}"
    yield from inner
    yield f"</{element.tag}>"


def _source(latex: str, *, display: bool) -> str:
    mark = "$$" if display else "$"
    return f'<span class="math-source">{escape_text(mark + latex + mark)}</span>'


def install(md: MarkdownIt) -> None:
    """Teach md the four delimiters."""
    md.inline.ruler.before("escape", "math_inline", _inline_rule)
    md.block.ruler.before("fence", "math_block", _block_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    md.add_render_rule("math_inline", _render_inline)
    md.add_render_rule("math_block", _render_block)


def _inline_rule(state: StateInline, silent: bool) -> bool:
    opener = next((mark for mark in _CLOSERS if state.src.startswith(mark, state.pos)), "")
    if not opener:
        return False
    start = state.pos + len(opener)
    limit = min(state.posMax, start + MAX_LATEX)
    end = _inline_end(state.src, start, limit, opener)
    if end < 0:
        return False
    if not silent:
        token = state.push("math_inline", "math", 0)
        token.content = state.src[start:end]
        token.markup = opener
    state.pos = end + len(opener)
    return True


def _inline_end(source: str, start: int, limit: int, opener: str) -> int:
    """Return where the formula ends, -1 if this is no formula.

    A single dollar follows Pandoc's rule, so that "$5 and $10" stays money: no space inside, no digit after.
    """
    end = source.find(_CLOSERS[opener], start, limit)
    while opener == "$" and end > start and source[end - 1] == "\\":
        end = source.find("$", end + 1, limit)
    if end < 0 or not source[start:end].strip():
        return -1
    if opener != "$":
        return end
    spaced = source[start].isspace() or source[end - 1].isspace()
    return -1 if spaced or source[end + 1 : end + 2].isdigit() else end


def _block_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Match a formula that begins a line and ends one, with no blank line in it."""
    if state.is_code_block(start_line):
        return False
    begin = state.bMarks[start_line] + state.tShift[start_line]
    opener = state.src[begin : begin + 2]
    if opener not in ("$$", "\\["):
        return False
    next_line = _closing_line(state, start_line, end_line, opener)
    if next_line is None:
        return False
    if silent:
        return True
    lines = state.getLines(start_line, next_line + 1, state.blkIndent, False).strip()
    token = state.push("math_block", "math", 0)
    token.block = True
    token.content = lines[2:-2]
    token.map = [start_line, next_line + 1]
    state.line = next_line + 1
    return True


def _closing_line(state: StateBlock, start_line: int, end_line: int, opener: str) -> int | None:
    length = 0
    for line in range(start_line, end_line):
        first, last = state.bMarks[line] + state.tShift[line], state.eMarks[line]
        content = state.src[first:last].rstrip()
        length += len(content)
        # Stopping at the next opener bounds the work for a text full of them.
        ends = not content or content.startswith("\\[") or state.sCount[line] < state.blkIndent
        outside = line > start_line and ends
        if outside or length > MAX_LATEX:
            return None
        body = content[2:] if line == start_line else content
        position = body.find(_CLOSERS[opener])
        if position >= 0:
            # Text after the formula makes it part of a sentence: the inline rule takes it.
            return line if position == len(body) - 2 and (line > start_line or position > 0) else None
    return None


def _render_inline(self: "RendererProtocol", tokens: "list[Token]", index: int, options: object, env: object) -> str:
    token = tokens[index]
    return formula(token.content, display=token.markup in ("$$", "\\["))


def _render_block(self: "RendererProtocol", tokens: "list[Token]", index: int, options: object, env: object) -> str:
    return f'<div class="math-block">{formula(tokens[index].content, display=True)}</div>'
