"""The HTML that is shown while an answer grows: fixed pieces, containers still open, and one open leaf at the end.

Owns the equality between its own `html` and the logged ops applied to an empty page. It knows nothing of Markdown.
Called by `stream.py` and `growth.py` only.
"""

from dataclasses import dataclass

from chat.markdown.ops import Op, OpLog


@dataclass(frozen=True, slots=True)
class Container:
    """An element that still takes children, and what the source of its next child needs around it to parse alike.

    ``column`` is where the content of a list item begins; ``skeleton`` are the lines that stand for the container.
    """

    kind: str
    target: str
    closing: str
    column: int = 0
    skeleton: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A block that may still change. Text can be appended at ``spot``, a path below its element, if that is not None.

    ``closing`` is the end of ``html`` that stands after the spot.
    """

    html: str
    spot: str | None = None
    closing: str = ""


ROOT = Container("root", "", "")


class Canvas:
    """Pieces of HTML in document order, and the log of the ops that drew them."""

    def __init__(self) -> None:
        self.log = OpLog()
        self.containers = [ROOT]
        self.leaf: Leaf | None = None
        self._fixed: list[str] = []
        self._appended: list[str] = []

    @property
    def innermost(self) -> Container:
        return self.containers[-1]

    @property
    def html(self) -> str:
        """Everything shown, with what is open closed."""
        return self.drawn((0, 0))

    @property
    def leaf_target(self) -> str:
        return f"{self.innermost.target} > {'.block' if self.innermost is ROOT else ''}:last-child".lstrip()

    def mark(self) -> tuple[int, int]:
        """Remember the present end, for `drawn`."""
        return len(self._fixed), len(self.containers)

    def drawn(self, mark: tuple[int, int]) -> str:
        """Return the HTML of what came after mark, with what is open closed."""
        fixed, depth = mark
        closings = [container.closing for container in reversed(self.containers[depth:])]
        return "".join((*self._fixed[fixed:], self._leaf_html(), *closings))

    def add(self, html: str) -> None:
        """Put a finished piece to the end of the innermost container."""
        self._fixed.append(html)

    def enter(self, opening: str, container: Container) -> None:
        self._fixed.append(opening)
        self.containers.append(container)

    def leave_to(self, depth: int) -> None:
        """Fix the leaf and close the containers from depth on."""
        self._fixed.append(self._leaf_html())
        self.drop_leaf()
        while len(self.containers) > depth:
            self._fixed.append(self.containers.pop().closing)

    def set_leaf(self, leaf: Leaf) -> None:
        self.leaf = leaf
        self._appended = []

    def drop_leaf(self) -> None:
        self.leaf = None
        self._appended = []

    def append_text(self, html: str) -> None:
        """Append inline HTML at the leaf's spot."""
        if self.leaf is None or self.leaf.spot is None:
            raise ValueError("no place for text")
        if html:
            self._appended.append(html)
            self.log.append(Op(self.leaf_target + self.leaf.spot, "beforeend", html))

    def clear(self) -> None:
        self._fixed = []
        self.containers = [ROOT]
        self.drop_leaf()

    def _leaf_html(self) -> str:
        if self.leaf is None:
            return ""
        if not self._appended:
            return self.leaf.html
        before = self.leaf.html[: len(self.leaf.html) - len(self.leaf.closing)]
        return "".join((before, *self._appended, self.leaf.closing))
