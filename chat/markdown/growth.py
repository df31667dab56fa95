"""One parse of what is new, and what of it goes onto the canvas.

Owns the descent along the open containers (list > item > list > item, table): closed nodes are drawn once, only the
open end is drawn anew. It decides nothing about when to parse; `stream.py` does.
"""

from chat.markdown.canvas import ROOT, Canvas, Container
from chat.markdown.ops import Op
from chat.markdown.parsed import LISTS, Parsed
from chat.markdown.parser import Span
from chat.markdown.render import BLOCK_CLOSE, BLOCK_OPEN

# Stands for the finished children of an open item: one line, no paragraph that a lazy line could continue,
# and no blank line.
_PLACEHOLDER = "#"


class Growth:
    """Draws successive parses onto a canvas. Each parse begins with `skeleton`, the open containers in short."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self.leaf_line = 0
        self.leaf_kind = ""

    @property
    def skeleton(self) -> list[str]:
        return [line for container in self._canvas.containers for line in container.skeleton]

    @property
    def column(self) -> int:
        return max(container.column for container in self._canvas.containers)

    def draw(self, parsed: Parsed, *, is_last: bool) -> bool:
        """Draw what is new or changed, is_last if no text will follow. Return False if the canvas does not fit."""
        self.leaf_line, self.leaf_kind = len(parsed.lines), ""
        return self._continue(parsed, parsed.nodes(), 0, is_open=not is_last)

    def redraw(self, parsed: Parsed, *, is_last: bool) -> None:
        """Draw the whole answer anew."""
        self._canvas.clear()
        self.leaf_line, self.leaf_kind = len(parsed.lines), ""
        self._put(parsed, parsed.nodes(), is_open=not is_last)
        self._canvas.log.append(Op("", "innerHTML", self._canvas.html))

    def _continue(self, parsed: Parsed, nodes: list[Span], depth: int, *, is_open: bool) -> bool:
        """Bring the container at depth up to date with its nodes in the new parse."""
        canvas = self._canvas
        if depth + 1 < len(canvas.containers):
            child = canvas.containers[depth + 1]
            if not nodes or not _continues(parsed, nodes[0], child):
                return False
            inner = parsed.children(nodes[0])[1 if child.kind == "item" else 0 :]
            if not self._continue(parsed, inner, depth + 1, is_open=is_open and len(nodes) == 1):
                return False
            nodes = nodes[1:]
        elif canvas.leaf is not None:
            if not nodes:
                return False
            self._redo_leaf(parsed, nodes[0], is_open=is_open and len(nodes) == 1)
            nodes = nodes[1:]
        if nodes:
            canvas.leave_to(depth + 1)
            self._append(parsed, nodes, is_open=is_open)
        return True

    def _append(self, parsed: Parsed, nodes: list[Span], *, is_open: bool) -> None:
        canvas = self._canvas
        target, mark = canvas.innermost.target, canvas.mark()
        self._put(parsed, nodes, is_open=is_open)
        canvas.log.append(Op(target, "beforeend", canvas.drawn(mark)))

    def _redo_leaf(self, parsed: Parsed, node: Span, *, is_open: bool) -> None:
        """Draw the open leaf again; it may have become a container."""
        canvas = self._canvas
        target, mark, old = canvas.leaf_target, canvas.mark(), canvas.drawn(canvas.mark())
        canvas.drop_leaf()
        self._put(parsed, [node], is_open=is_open)
        new = canvas.drawn(mark)
        if new != old:
            canvas.log.append(Op(target, "outerHTML", new))

    def _put(self, parsed: Parsed, nodes: list[Span], *, is_open: bool) -> None:
        """Put nodes on the canvas without logging: all but the last are closed."""
        inside = self._canvas.innermost
        closed, last = (nodes, []) if inside.kind == "table" else (nodes[:-1], nodes[-1:])
        for node in closed:
            self._canvas.add(parsed.html(node, inside))
        for node in last:
            self._put_last(parsed, node, is_open=is_open)

    def _put_last(self, parsed: Parsed, node: Span, *, is_open: bool) -> None:
        """Put the node that may still grow: as a container if it can be one, else as the leaf."""
        kind = parsed.first(node).type
        if kind in LISTS:
            self._enter_list(parsed, node)
        elif kind == "table_open":
            self._enter_table(parsed, node)
        elif kind != "list_item_open" or not self._enter_item(parsed, node):
            self._put_leaf(parsed, node, is_open=is_open)
            return
        self._put(parsed, parsed.children(node), is_open=is_open)

    def _put_leaf(self, parsed: Parsed, node: Span, *, is_open: bool) -> None:
        is_code = is_open and parsed.is_open_fence(node)
        self._canvas.set_leaf(parsed.leaf(node, self._canvas.innermost, is_open=is_open))
        self.leaf_line = parsed.line(node)
        self.leaf_kind = "code" if is_code else parsed.first(node).type

    def _enter_item(self, parsed: Parsed, item: Span) -> bool:
        """Open an item, if it has content and its first line tells where that begins."""
        canvas, outer = self._canvas, self.column
        column = parsed.item_column(item, outer)
        if column is None or not parsed.children(item):
            return False
        line = " " * outer + parsed.lines[parsed.line(item)][outer:column] + _PLACEHOLDER
        canvas.enter("<li>", Container("item", f"{canvas.innermost.target} > li:last-child", "</li>", column, (line,)))
        return True

    def _enter_list(self, parsed: Parsed, node: Span) -> None:
        canvas, tag = self._canvas, parsed.first(node).tag
        start = parsed.first(node).attrGet("start")
        opening = f"<{tag}>" if start is None else f'<{tag} start="{int(start)}">'
        if canvas.innermost is ROOT:
            target, opening, closing = f"> .block:last-child > {tag}", BLOCK_OPEN + opening, f"</{tag}>{BLOCK_CLOSE}"
        else:
            target, closing = f"{canvas.innermost.target} > {tag}:last-child", f"</{tag}>"
        canvas.enter(opening, Container("list", target, closing))

    def _enter_table(self, parsed: Parsed, node: Span) -> None:
        canvas = self._canvas
        head, closing = parsed.head(node), "</table></div>"
        line, margin = parsed.line(node), self.column
        skeleton = (" " * margin + parsed.lines[line][margin:], parsed.lines[line + 1])
        if canvas.innermost is ROOT:
            target = "> .block:last-child > .prose-table > table"
            head, closing = BLOCK_OPEN + head, closing + BLOCK_CLOSE
        else:
            target = f"{canvas.innermost.target} > .prose-table:last-child > table"
        canvas.enter(head, Container("table", target, closing, margin, skeleton))


def _continues(parsed: Parsed, node: Span, container: Container) -> bool:
    kind = parsed.first(node).type
    expected = {"list": LISTS, "item": ("list_item_open",), "table": ("table_open",)}
    return kind in expected[container.kind]
