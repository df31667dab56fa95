"""Reads ``EMAIL_URL`` into what Django wants to know of a mail server. Called by the settings only."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from playground.environment import UnusableSetting

# How each scheme encrypts: from the start, by STARTTLS, or not at all.
SCHEMES = {"smtps": (465, False, True), "smtp+tls": (587, True, False), "smtp": (25, False, False)}


class MailServer(NamedTuple):
    """In the order of EMAIL_BACKEND, _HOST, _PORT, _HOST_USER, _HOST_PASSWORD, _USE_TLS and _USE_SSL."""

    backend: str = "django.core.mail.backends.dummy.EmailBackend"
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False


def mail_server(address: str) -> MailServer:
    """Return the server of ``smtps://user:password@host:465``, or none where it is empty."""
    if not address:
        return MailServer()
    try:
        parts = urlsplit(address)
        port, use_tls, use_ssl = SCHEMES[parts.scheme]
        port = parts.port or port
    except (KeyError, ValueError):
        raise UnusableSetting(_SHAPE) from None
    if not parts.hostname or parts.path.strip("/") or parts.query:
        raise UnusableSetting(_SHAPE)
    smtp = "django.core.mail.backends.smtp.EmailBackend"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return MailServer(smtp, parts.hostname, port, user, password, use_tls, use_ssl)


_SHAPE = "EMAIL_URL must look like smtps://user:password@host:465, smtp+tls://user:password@host:587 or smtp://host."
