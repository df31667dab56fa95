"""Model text to safe HTML, whole (`render`) or while it is being written (`stream.BlockStream`).

Owns everything between a model's characters and a page's markup; it knows no models of the database, no requests and
no sockets. Views, consumers and templates call it; nothing else marks model text as safe.
"""

from chat.markdown.plain import plain
from chat.markdown.render import RENDERER_VERSION, render
from chat.markdown.text import escape_text

__all__ = ["RENDERER_VERSION", "escape_text", "plain", "render"]
