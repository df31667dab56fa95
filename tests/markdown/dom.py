"""A page in small: parses HTML to a tree and applies ops to it as a browser with htmx does.

Owns the test side's own reading of HTML and of the few CSS paths that ops use.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from chat.markdown.ops import Op

VOID = ("br", "hr")


@dataclass
class Element:
    """An element; children are elements and, as str, text. Neighbouring texts are one."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Element | str"] = field(default_factory=list)

    @property
    def elements(self) -> list["Element"]:
        return [child for child in self.children if isinstance(child, Element)]

    def walk(self) -> list["Element"]:
        return [self, *(inner for child in self.elements for inner in child.walk())]

    def extend(self, children: list["Element | str"]) -> None:
        for child in children:
            last = self.children[-1] if self.children else None
            if isinstance(child, str) and isinstance(last, str):
                self.children[-1] = last + child
            elif child != "":
                self.children.append(child)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("body")]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].extend([element])
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop().tag == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.open[-1].extend([data])


def body(html: str) -> Element:
    """Parse html, which must be well-formed, to a body element."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert len(builder.open) == 1, "an element is not closed"
    return builder.open[0]


def apply(page: Element, op: Op) -> None:
    """Apply op to a body; its target must exist, and be one element."""
    parent, target = _find(page, op.target)
    fragment = body(op.html).children
    if op.swap == "beforeend":
        target.extend(fragment)
    elif op.swap == "innerHTML":
        target.children = []
        target.extend(fragment)
    else:
        assert len(fragment) == 1, "outerHTML is exactly one element"
        parent.children[next(i for i, child in enumerate(parent.children) if child is target)] = fragment[0]


def _find(page: Element, path: str) -> tuple[Element, Element]:
    parent, element = page, page
    for step in path.removeprefix("> ").split(" > ") if path else []:
        name, _, last = step.partition(":last-child")
        found = [child for child in (element.elements[-1:] if ":" in step else element.elements) if _is(child, name)]
        assert len(found) == 1 and not last, f"{path!r} finds {len(found)} at {step!r}"
        parent, element = element, found[0]
    return parent, element


def _is(element: Element, name: str) -> bool:
    if name.startswith("."):
        return name[1:] in element.attributes.get("class", "").split()
    return name in ("", element.tag)
