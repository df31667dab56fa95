"""The HTTP clients that all requests to providers share: one per event loop and reach.

httpx for the API, aiohttp for the transport: that halves the CPU per streamed event. No redirects, no cookies, no
proxies or netrc files from the environment. Which address a name leads to is judged where the socket is made, and that
very address is connected to. Used by `client` alone.
"""

import asyncio
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

from chat.providers.reach import Reach, forbid_address

_Clients = dict[Reach, httpx.AsyncClient]
_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, _Clients] = WeakKeyDictionary()


def shared_client(reach: Reach) -> httpx.AsyncClient:
    """The client of the running event loop for that reach, made on first use.

    Each reach has connections of its own: one that was opened by those who may go anywhere is no way in for others.
    """
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    if reach not in clients:
        clients[reach] = make_client(_make_transport(reach))
    return clients[reach]


async def close_client() -> None:
    """Close the clients of the running event loop, if there are any; a later request makes a new one."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.aclose()


def make_client(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """An httpx client that adds nothing of its own to a request and remembers nothing of an answer."""
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    client = httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False, cookies=no_cookies)
    # What is shown to people is what is sent: no header appears behind the back of a WireRequest.
    client.headers.clear()
    return client


def _make_transport(reach: Reach) -> AiohttpTransport:
    def open_socket(found: tuple[Any, ...]) -> socket.socket:
        """A socket for one resolved address, asked after the name look-up: a name cannot change its mind later."""
        family, kind, protocol, _, address = found
        forbid_address(address[0], reach)
        return socket.socket(family, kind, protocol)

    connector = aiohttp.TCPConnector(limit=0, ssl=_tls(), socket_factory=open_socket, keepalive_timeout=30)
    session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
    return AiohttpTransport(client=session, verify=_tls())


@cache
def _tls() -> ssl.SSLContext:
    """Trusts the public authorities and those this machine was told to trust, such as a company's own."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context
