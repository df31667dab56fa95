"""The HTTP client that all requests to providers share, one per event loop.

httpx for the API, aiohttp for the transport: that halves the CPU per streamed event. No redirects, no cookies, no
proxies or netrc files from the environment. Used by `client` alone.
"""

import asyncio
import ipaddress
import socket
import ssl
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
import certifi
import httpx
from httpx_aiohttp import AiohttpTransport

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()
# Amazon's metadata service over IPv6; over IPv4 it is link-local, like everybody's.
_METADATA = frozenset({ipaddress.ip_address("fd00:ec2::254")})


class ForbiddenAddress(OSError):
    """The name of an endpoint leads to an address where no model can be, but a cloud's secrets may."""


def shared_client() -> httpx.AsyncClient:
    """The client of the running event loop, made on first use."""
    loop = asyncio.get_running_loop()
    client = _clients.get(loop)
    if client is None:
        client = _clients[loop] = make_client(_make_transport())
    return client


async def close_client() -> None:
    """Close the client of the running event loop, if there is one; a later request makes a new one."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


def make_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """An httpx client that adds nothing of its own to a request and remembers nothing of an answer."""
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    client = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, cookies=no_cookies)
    # What is shown to people is what is sent: no header appears behind the back of a WireRequest.
    client.headers.clear()
    return client


def _make_transport() -> AiohttpTransport:
    connector = aiohttp.TCPConnector(limit=0, ssl=_tls(), socket_factory=_open_socket, keepalive_timeout=30)
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
    return AiohttpTransport(client=session, verify=_tls())


@cache
def _tls() -> ssl.SSLContext:
    """Trusts the public authorities and those this machine was told to trust, such as a company's own."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


def _open_socket(found: tuple[Any, ...]) -> socket.socket:
    """A socket for one resolved address; asked after the name lookup, so a name cannot change its mind later."""
    family, kind, protocol, _, address = found
    forbid_address(address[0])
    return socket.socket(family, kind, protocol)


def forbid_address(text: str) -> None:
    """Raise ForbiddenAddress for link-local, multicast, unspecified and cloud metadata addresses."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA:
        raise ForbiddenAddress(f"{text} is not an address of a model endpoint")
