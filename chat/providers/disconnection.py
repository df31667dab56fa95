"""From an exception of the HTTP libraries to a ProviderError: the one table of what failed connections look like.

`client` catches and calls; nothing above the wire ever sees httpx or aiohttp. The transport wraps many aiohttp errors
in an httpx.ConnectTimeout, whatever they were, so the whole chain of causes is looked through.
"""

import socket
import ssl
from collections.abc import Iterator

import aiohttp
import httpx

from chat.providers.credential import Credential, mask_tokens
from chat.providers.errors import Context, ProviderError, provider_error
from chat.providers.reach import ForbiddenAddress, PrivateAddress

# UnicodeError: a host name that IDNA cannot encode.
CONNECTION_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, aiohttp.ClientError, OSError, UnicodeError)
# The first row that fits any exception in the chain decides; the order goes from special to general.
_KINDS: tuple[tuple[str, tuple[type[BaseException], ...]], ...] = (
    ("private_address", (PrivateAddress,)),
    (
        "bad_address",
        (ForbiddenAddress, httpx.UnsupportedProtocol, httpx.InvalidURL, aiohttp.InvalidURL, UnicodeError),
    ),
    ("tls", (ssl.SSLError, aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch)),
    ("dns", (aiohttp.ClientConnectorDNSError, socket.gaierror)),
    ("connect_timeout", (aiohttp.ConnectionTimeoutError,)),
    ("between_tokens_timeout", (aiohttp.SocketTimeoutError,)),
    ("malformed", (aiohttp.ClientResponseError, httpx.DecodingError)),
    ("refused_connection", (aiohttp.ClientConnectorError, ConnectionRefusedError)),
)


def connection_error(error: BaseException, credential: Credential | None) -> ProviderError:
    """The ProviderError for an exception of CONNECTION_ERRORS."""
    chain = list(_causes(error))
    kind = next((kind for kind, types in _KINDS if any(isinstance(link, types) for link in chain)), "broken_connection")
    mask = credential.mask if credential else mask_tokens
    root = chain[-1]
    context = Context(key=credential.label if credential else "", raw=mask(f"{type(root).__name__}: {root}"))
    return provider_error(kind, context)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # Exceptions may refer to each other in a circle.
    for _ in range(10):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__
