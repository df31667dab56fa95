"""THE function that turns model text into HTML, used wherever model text is shown.

Owns the order of the steps (parse, highlight, maths, sanitise last) and the caps on size and depth.
It refuses to know who wrote the text. `stream.py` builds the same HTML piece by piece.
"""

from django.utils.safestring import SafeString, mark_safe

from chat.markdown.parser import is_too_deep, parse, spans, to_html
from chat.markdown.sanitise import sanitise
from chat.markdown.text import escape_text, normalise

RENDERER_VERSION = 1  # raise it whenever the HTML for any text changes: stored HTML of older versions is made anew
MAX_RENDERED = 400_000  # characters; longer text is shown as it is, without Markdown

BLOCK_OPEN = '<div class="block">'
BLOCK_CLOSE = "</div>"
PLAIN_OPEN = '<div class="block plain">'


def render(text: str) -> SafeString:
    """Return the safe inner HTML of an answer: one ``div.block`` for each top-level block."""
    text = normalise(text)
    return mark_safe(_rendered(text))  # sanitised or escaped in every branch


def _rendered(text: str) -> str:
    if len(text) > MAX_RENDERED:
        return unrendered(text)
    tokens = parse(text)
    if is_too_deep(tokens):
        return unrendered(text)
    blocks = (BLOCK_OPEN + to_html(tokens[start:end]) + BLOCK_CLOSE for start, end in spans(tokens, 0, len(tokens)))
    return sanitise("".join(blocks))


def unrendered(text: str) -> str:
    """Return normalised text as one block of plain text, for what is too long or too deep to render."""
    return PLAIN_OPEN + escape_text(text) + BLOCK_CLOSE if text else ""
