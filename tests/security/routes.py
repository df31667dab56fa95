"""Every address that the site answers, read from the resolver: a new one is swept without being named here."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# Parameters that name a row that belongs to somebody.
OWNED = frozenset({"conversation_id", "lane", "other", "message", "run", "pk"})
# The others have any value: addresses must be refused for whom they belong to, not for these.
FREE = {
    "row": "0",
    "which": "more",
    "direction": "left",
    "token": "no-such-token",
    "object_id": "1",
    "id": "1",
    "content_type_id": "1",
}
# Addresses that libraries describe by regular expressions.
SPELLED = {
    r"^confirm-email/(?P<key>[-:\w]+)/$": "confirm-email/x/",
    r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": "password/reset/key/1-x/",
    # In the order in which the apps came to have pages there.
    f"^(?P<app_label>{'|'.join(dict.fromkeys(model._meta.app_label for model in admin.site._registry))})/$": "chat/",
    r"(?P<url>.*)$": "no/such/page",
    r"^(?P<provider_id>[^/]+)/": "huggingface/",
}


@dataclass(frozen=True)
class Route:
    """One address with its parameters in angle brackets, such as ``c/<uuid:conversation_id>/``."""

    text: str

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(PARAMETER.findall(self.text))

    @property
    def owned(self) -> tuple[str, ...]:
        """The parameters that name somebody's row."""
        return () if self.text.startswith("admin/") else tuple(name for name in self.parameters if name in OWNED)

    @property
    def is_ours(self) -> bool:
        """Whether a view of this project answers, not one of Django's or allauth's."""
        return not self.text.startswith(("admin/", "accounts/"))

    def path(self, argument: Callable[[str], object] = FREE.__getitem__) -> str:
        """The address with its parameters filled in; those that belong to nobody have a value already."""
        return "/" + PARAMETER.sub(lambda found: str(FREE.get(found[1]) or argument(found[1])), self.text)


def _walk(patterns: list[Any], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        text = str(pattern.pattern)
        text = prefix + (SPELLED[text] if isinstance(pattern.pattern, RegexPattern) else text)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, text)
        elif isinstance(pattern, URLPattern):
            yield text


ROUTES = [Route(text) for text in _walk(get_resolver().url_patterns)]
