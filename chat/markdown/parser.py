"""Markdown to tokens and tokens to HTML that is not yet sanitised.

Owns the dialect (CommonMark, tables, strikethrough, task boxes, maths; no raw HTML, no images) and the exact HTML
of each element. Only `render.py` and `stream.py` call it, and both sanitise what they get.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from chat.markdown import code, maths

MAX_NESTING = 24  # levels of lists (two each) and quotes; the parser drops what lies deeper: see `is_too_deep`
_LINK = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
_TASK = re.compile(r"\[([ xX])\]\s+(?=\S)")
_LANGUAGE = re.compile(r"[^\s{}.,:;]{1,30}")
_local = threading.local()

Span = tuple[int, int]


def parse(text: str) -> list[Token]:
    """Parse normalised text, with the one parser that this thread keeps."""
    return _parser().parse(text)


def parse_inline(text: str) -> list[Token]:
    """Parse text as the inside of one paragraph."""
    return _parser().parseInline(text)


def to_html(tokens: Sequence[Token]) -> str:
    """Return the HTML of tokens, unsanitised. Blocks follow each other without white space between them."""
    md = _parser()
    return str(md.renderer.render(tokens, md.options, {}))


def spans(tokens: Sequence[Token], start: int, end: int) -> Iterator[Span]:
    """Yield (first, past last) index of each node that stands at the level of tokens[start]."""
    depth = 0
    first = start
    for index in range(start, end):
        depth += tokens[index].nesting
        if depth == 0:
            yield first, index + 1
            first = index + 1


def is_too_deep(tokens: Sequence[Token]) -> bool:
    """Say whether the parser met its nesting limit, and so may have left out text."""
    return any(token.level >= MAX_NESTING - 1 for token in tokens)


def _parser() -> MarkdownIt:
    md: MarkdownIt | None = getattr(_local, "md", None)
    if md is None:
        md = _local.md = _build()
    return md


def _build() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MAX_NESTING}, renderer_cls=_Renderer)
    md.enable(["table", "strikethrough"]).disable(["html_block", "html_inline"])
    md.validateLink = _is_link  # type: ignore[method-assign]
    maths.install(md)
    md.core.ruler.after("inline", "shape", _shape)
    return md


def _is_link(url: str) -> bool:
    """Allow absolute web and mail addresses; any other link stays visible as its source."""
    return _LINK.match(url) is not None


class _Renderer(RendererHTML):
    """HTML without white space between blocks, so that blocks rendered one by one equal blocks rendered together."""

    def renderToken(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        token = tokens[idx]
        slash = "/" if token.nesting == -1 else ""
        return f"<{slash}{token.tag}{self.renderAttrs(token)}>"

    def softbreak(self, *_: Any) -> str:
        return "<br>"

    def hardbreak(self, *_: Any) -> str:
        return "<br>"

    def fence(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return code.block(tokens[idx].content, language(tokens[idx]))

    def code_block(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return code.block(tokens[idx].content, "")

    def table_open(self, *_: Any) -> str:
        return '<div class="prose-table"><table>'

    def table_close(self, *_: Any) -> str:
        return "</table></div>"

    # Every row is a <tbody> of its own. A row can then be appended by an out-of-band swap, whose wrapper is a <table>:
    # the HTML parser drops a bare <tr> (WHATWG HTML 13.2.6.4.7) and puts one inside a <table> into a new <tbody>.
    def tbody_open(self, *_: Any) -> str:
        return ""

    tbody_close = tbody_open

    def tr_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "<tr>" if tokens[idx - 1].type == "thead_open" else "<tbody><tr>"

    def tr_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return "</tr>" if tokens[idx + 1 : idx + 2] and tokens[idx + 1].type == "thead_close" else "</tr></tbody>"

    def td_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        align = str(tokens[idx].attrGet("style") or "").removeprefix("text-align:")
        return f'<{tokens[idx].tag} class="align-{align}">' if align else f"<{tokens[idx].tag}>"

    th_open = td_open

    def task_box(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return '<span class="task-done">☑</span> ' if tokens[idx].info else '<span class="task">☐</span> '


def language(fence: Token) -> str:
    """Return the language a fence names, "" if none."""
    match = _LANGUAGE.search(fence.info)
    return match[0] if match else ""


def _shape(state: StateCore) -> None:
    """Give every list item real paragraphs, images the form of links, and tasks their boxes.

    Whether a list is tight is known only at its end (CommonMark 5.3); were it shown, a late blank line would change
    all of a list that has long been streamed.
    """
    items: list[int] = []
    for token in state.tokens:
        token.hidden = False
        if token.type == "list_item_open":
            items.append(token.level)
        elif token.type == "list_item_close":
            items.pop()
        if token.type != "inline" or not token.children:
            continue
        if items and token.level == items[-1] + 2:
            _mark_task(token.children)
        if any(child.type == "image" for child in token.children):
            token.children = list(_images_as_links(token.children))


def _mark_task(children: list[Token]) -> None:
    match = _TASK.match(children[0].content) if children[0].type == "text" else None
    if match:
        children[0].content = children[0].content[match.end() :]
        children.insert(0, Token("task_box", "", 0, info=match[1].strip()))


def _images_as_links(children: list[Token]) -> Iterator[Token]:
    """Nothing remote is ever loaded: an image is a link to it, or its name where it stands inside a link."""
    inside = 0
    for token in children:
        inside += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type != "image":
            yield token
            continue
        source = str(token.attrGet("src") or "")
        name = Token("text", "", 0, content=token.content or source)
        if inside:
            yield name
        else:
            yield Token("link_open", "a", 1, attrs={"class": "image-link", "href": source})
            yield name
            yield Token("link_close", "a", -1)
