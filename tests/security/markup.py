"""A reader of pages that trusts nobody: says what in some HTML no template of ours can have meant."""

import re
from html.parser import HTMLParser

# Each would end what it stands in, and add something of its own named "evil".
MARKUP = (
    "\"'><x-evil evil=1 onclick=evil() style=evil><b id=evil hx-get=/keys/ hx-swap-oob=true>"
    "</title></textarea></option></select></script></style>--><!--f:9--><img src=//evil.example onerror=evil()>"
    "{{ evil }}{% evil %}&lt;x-evil&gt;"
)
# The same for small places.
SHORT = "\"'><x-evil evil=1>"
VOID = frozenset(("br", "hr", "img", "input", "link", "meta", "circle", "path", "line", "rect", "polyline", "ellipse"))
# Attributes in which people and models may be quoted; nothing in a browser runs, loads or swaps by them.
QUOTING = frozenset(
    ("aria-label", "alt", "title", "value", "placeholder", "content")
    + ("data-receipt", "data-name", "data-hits", "data-options")
)
ADDRESSES = frozenset(("href", "src", "action", "formaction", "hx-get", "hx-post", "data-copy-url"))
_PLAIN_ADDRESS = re.compile(r"[\w/?&=:.%#~+-]*")
_FORBIDDEN_TAGS = frozenset(("x-evil", "style", "iframe", "object", "embed", "base"))


class Reader(HTMLParser):
    """Collects complaints while it parses."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.complaints: list[str] = []
        self.open: list[str] = []
        self.swaps: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _FORBIDDEN_TAGS:
            self.complaints.append(f"<{tag}>")
        for name, value in attrs:
            self._look_at(tag, name, value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.complaints.append(f"</{tag}> closes something else")

    def handle_comment(self, data: str) -> None:
        # The number of a frame stands in one; Django's own admin pages have some that say where a part ends.
        if data.startswith("f:") or "evil" in data:
            self.complaints.append(f"<!--{data}-->")

    def _look_at(self, tag: str, name: str, value: str) -> None:
        if name == "hx-swap-oob":
            self.swaps.append(value)
        quoted = name in QUOTING or (name in ADDRESSES and _PLAIN_ADDRESS.fullmatch(value) is not None)
        if name == "evil" or name.startswith("on") or name == "style" or ("evil" in value and not quoted):
            self.complaints.append(f"<{tag} {name}={value[:60]!r}>")
        # An image that the page carries in itself loads nothing, and no script in it runs.
        carried = tag == "img" and value.startswith("data:image/svg+xml;base64,")
        if name == "src" and not carried and not value.startswith(("/static/", "/admin/jsi18n/")):
            self.complaints.append(f"<{tag} {name}={value[:60]!r}>")


def complaints(html: str) -> list[str]:
    """What should not be in a page or fragment."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader.complaints + [f"<{tag}> is not closed" for tag in reader.open]


def swaps(html: str) -> list[str]:
    """The values of all ``hx-swap-oob``."""
    reader = Reader()
    reader.feed(html)
    return reader.swaps
