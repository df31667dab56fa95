"""Refuses a socket whose page is not ours, before its session is looked at.

Browsers let any page open a socket to any host and send its cookies along, so the Origin header is the only
protection (RFC 6455 10.2). It owns that comparison; who the person is and what they may see is decided later.
Put around the socket routes in ``playground.asgi``.
"""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from playground.environment import browser_origin

Headers = Iterable[tuple[bytes, bytes]]


class OriginValidator:
    """ASGI middleware for sockets: passes same-origin and trusted pages on, refuses all others with 403."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if is_own_page(scope["headers"]):
            await self.application(scope, receive, send)
        else:
            # By hand: a consumer would ask the channel layer, which is not for strangers.
            await receive()
            await send({"type": "websocket.close"})


def is_own_page(headers: Headers) -> bool:
    """Tell whether scheme, host and port of Origin equal the page's, or stand in CSRF_TRUSTED_ORIGINS.

    A missing, repeated, ``null`` or unreadable Origin is foreign. So is an equal pair of Origin and Host where the
    host is not ours: a name that was rebound to this machine.
    """
    origin = browser_origin(_only(headers, b"origin"))
    if not origin:
        return False
    host = _only(headers, b"host")
    domain, _ = split_domain_port(host)
    served = bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
    same = served and origin == browser_origin(f"{_page_scheme(headers)}://{host}")
    return same or any(_matches(origin, trusted) for trusted in settings.CSRF_TRUSTED_ORIGINS)


def _page_scheme(headers: Headers) -> str:
    """Return the scheme the browser sees; the proxy's header counts only where settings say a proxy is there."""
    proxy: tuple[str, str] | None = settings.SECURE_PROXY_SSL_HEADER
    if proxy is None:
        return "http"
    variable, secure_value = proxy
    header = variable.removeprefix("HTTP_").replace("_", "-").lower().encode("ascii")
    return "https" if _only(headers, header) == secure_value else "http"


def _matches(origin: str, trusted: str) -> bool:
    """Compare with one entry of CSRF_TRUSTED_ORIGINS, whose host may begin with ``*.``."""
    scheme, _, pattern = trusted.lower().partition("://")
    if pattern.startswith("*."):
        return origin.startswith(f"{scheme}://") and origin.endswith(pattern[1:])
    return origin == browser_origin(trusted)


def _only(headers: Headers, name: bytes) -> str:
    """Return the value of a header that must occur exactly once, else ""."""
    values = [value for key, value in headers if key == name]
    return values[0].decode("latin-1") if len(values) == 1 else ""
