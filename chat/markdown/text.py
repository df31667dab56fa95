"""Plain text on its way into a page: cleaning of characters that deceive, and the one escape.

Owns what a character may be, nothing about Markdown. Used by the renderer, the maths and the stream.
"""

import re

# Lone surrogates cannot be sent as UTF-8; control characters and bidirectional overrides show text in another order
# than it is stored ("Trojan Source", CVE-2021-42574). They are seen as U+FFFD, never obeyed.
_DECEIVING = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE_END = re.compile("\r\n?")
_SPECIAL = re.compile("[&<>\xa0]")
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\xa0": "&nbsp;"}


def normalise(text: str) -> str:
    """Return text with LF line ends and U+FFFD for every character that deceives or cannot be sent."""
    return _DECEIVING.sub("\ufffd", _LINE_END.sub("\n", text))


def escape_text(text: str) -> str:
    """Escape text for an element's content (WHATWG HTML 13.3, text case), never for an attribute.

    It escapes exactly what the sanitiser escapes, so that streamed and sanitised text are the same bytes.
    """
    if not _SPECIAL.search(text):
        return text
    return _SPECIAL.sub(lambda match: _ENTITY[match[0]], text)
