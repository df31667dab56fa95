"""Icons as references into one sprite per page.

``{% icon_sprite %}`` stands once in ``_base.html``; ``{% icon "copy" %}`` is a short reference to it, so that a
partial sent over the socket carries no paths. The drawings are Lucide's, read from its package at run time.
"""

from functools import lru_cache

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide

register = template.Library()

ICONS = (
    "arrow-left",
    "arrow-right",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "circle-alert",
    "circle-question-mark",
    "code",
    "columns-2",
    "copy",
    "corner-down-left",
    "ellipsis",
    "key-round",
    "log-out",
    "monitor",
    "moon",
    "panel-left",
    "pencil",
    "pin",
    "plus",
    "refresh-cw",
    "rotate-ccw",
    "search",
    "settings",
    "shield",
    "sliders-horizontal",
    "sun",
    "trash-2",
    "undo-2",
    "wifi-off",
    "wrench",
    "x",
)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A decorative icon; whatever holds it needs a name of its own."""
    return format_html('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><use href="#icon-{}"/></svg>', name)


@register.simple_tag
@lru_cache(maxsize=1)
def icon_sprite() -> SafeString:
    """Every icon once, not displayed. ``lucide.IconDoesNotExist`` if the package lost one."""
    drawings = format_html_join("", "{}", ((lucide(name, size=None, id=f"icon-{name}"),) for name in ICONS))
    return format_html('<svg class="icon-sprite" aria-hidden="true" width="0" height="0">{}</svg>', drawings)
