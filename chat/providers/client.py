"""Sends a WireRequest and yields token events: the only place that does network I/O with providers.

Called by the engine for answers, and by keys and catalogue for small JSON documents. It never retries, follows no
redirect and logs neither prompts nor secrets; every failure leaves it as a ProviderError.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress

import httpx

from chat.providers.credential import Credential, mask_tokens
from chat.providers.disconnection import CONNECTION_ERRORS, connection_error
from chat.providers.errors import Context, ProviderError, provider_error
from chat.providers.events import ResponseStarted, TokenEvent
from chat.providers.headers import SERVED_BY, kept_headers
from chat.providers.patience import Patience
from chat.providers.payload import USER_AGENT
from chat.providers.reach import Reach
from chat.providers.reading import AnswerReader
from chat.providers.refusals import refusal
from chat.providers.requests import WireRequest
from chat.providers.screen import Screen
from chat.providers.transport import close_client, make_client, shared_client
from chat.providers.wild_json import LABEL_LENGTH, parse

__all__ = ["close_client", "get_json", "post_document", "stream_chat"]

MAX_REFUSAL_BYTES = 64 * 1024
REFUSAL_SECONDS = 10.0
MAX_DOCUMENT_BYTES = 32 * 1024 * 1024
# After [DONE] the connection is worth keeping for the next request if its answer ends properly at once.
DRAIN_SECONDS, DRAIN_BYTES = 0.25, 64 * 1024
# More than one coding, stacked, can blow up a few bytes to any size; the others are not offered by our requests.
_CODINGS = frozenset({"", "identity", "gzip", "deflate"})


@asynccontextmanager
async def stream_chat(
    wire: WireRequest,
    credential: Credential | None,
    *,
    reach: Reach = Reach.PUBLIC,
    session_transport: httpx.AsyncBaseTransport | None = None,
) -> AsyncIterator[AsyncIterator[TokenEvent]]:
    """Ask, and give an iterator over the answer; leaving the block closes the connection, wherever the answer is.

    The first event is ResponseStarted. Raises ProviderError on entering for everything up to the response headers and
    for any status but 2xx, and from the iterator for what happens later; text that came before is yielded before.
    `reach` says where the address may lead; `session_transport` replaces the network, for tests.
    """
    patience = Patience(wire.timeouts)
    try:
        with _mapped(credential):
            request = _post(wire, credential)
            response = await patience.wait(_client(reach, session_transport).send(request, stream=True))
        try:
            if not response.is_success:
                raise await _refused(response, credential)
            async with aclosing(_answer(response, credential, patience)) as answer:
                yield answer
        finally:
            await _close(response)
    finally:
        patience.close()


async def get_json(
    url: str,
    credential: Credential | None = None,
    *,
    timeout: float = 20.0,
    reach: Reach = Reach.PUBLIC,
    session_transport: httpx.AsyncBaseTransport | None = None,
) -> object:
    """The JSON document at `url`, such as a list of models; `timeout` is for all of it, in seconds; `reach` says
    where the address may lead.

    Raises ProviderError, also for any status but 2xx and for more than 32 MB.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": USER_AGENT}
    if credential:
        headers |= credential.headers(url)
    try:
        async with asyncio.timeout(timeout):
            with _mapped(credential):
                request = httpx.Request("GET", url, headers=headers)
                return await _fetch(_client(reach, session_transport), request, credential)
    except TimeoutError:
        raise provider_error("gateway_timeout") from None


async def post_document(
    url: str, body: bytes, headers: dict[str, str], *, timeout: float = 10.0, reach: Reach = Reach.PUBLIC
) -> None:
    """Hand `body` to whoever waits at `url`; `timeout` is for all of it, in seconds. What is answered is not read.

    Raises ProviderError, also for any status but 2xx, redirects included.
    """
    request = httpx.Request("POST", url, content=body, headers={"User-Agent": USER_AGENT} | headers)
    try:
        async with asyncio.timeout(timeout):
            with _mapped(None):
                response = await _client(reach, None).send(request, stream=True)
            try:
                if not response.is_success:
                    raise await _refused(response, None)
            finally:
                await _close(response)
    except TimeoutError:
        raise provider_error("gateway_timeout") from None


async def _fetch(client: httpx.AsyncClient, request: httpx.Request, credential: Credential | None) -> object:
    response = await client.send(request, stream=True)
    try:
        if not response.is_success:
            raise await _refused(response, credential)
        body = bytearray()
        async for chunk in _chunks(response):
            body += chunk
            if len(body) > MAX_DOCUMENT_BYTES:
                raise provider_error("too_long_line")
        return parse(credential.mask_own(body.decode("utf-8", "replace")).encode() if credential else bytes(body))
    except ValueError:
        raise provider_error("malformed", Context(status=response.status_code)) from None
    finally:
        await _close(response)


def _client(reach: Reach, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    return make_client(transport) if transport else shared_client(reach)


def _post(wire: WireRequest, credential: Credential | None) -> httpx.Request:
    own = credential.headers(wire.url) if credential else {}
    # However a person spelled them: what authorises a request is the key's alone, and is there once.
    taken = {name.lower() for name in own}
    headers = {name: value for name, value in wire.headers.items() if name.lower() not in taken} | own
    connect = wire.timeouts.connect
    # Reading has no limit here: Patience has, and it knows a token from a keep-alive.
    timeout = httpx.Timeout(None, connect=connect, pool=connect).as_dict()
    return httpx.Request("POST", wire.url, content=wire.content(), headers=headers, extensions={"timeout": timeout})


async def _answer(
    response: httpx.Response, credential: Credential | None, patience: Patience
) -> AsyncGenerator[TokenEvent, None]:
    mask = credential.mask if credential else mask_tokens
    headers = kept_headers((name, mask(value)) for name, value in response.headers.items())
    yield ResponseStarted(response.status_code, headers, headers.get(SERVED_BY, "")[:LABEL_LENGTH])
    reader = AnswerReader(credential)
    screen = Screen(credential) if credential else None
    chunks = _chunks(response)
    try:
        with _mapped(credential):
            while not reader.done and (chunk := await patience.wait(anext(chunks, None))) is not None:
                heard = False
                for event in reader.read(chunk):
                    heard = True
                    for shown in screen.through(event) if screen else (event,):
                        yield shown
                patience.heard(token=heard and reader.has_output)
        for event in reader.finish():
            for shown in screen.through(event) if screen else (event,):
                yield shown
    except ProviderError:
        for piece in reader.release():
            for shown in screen.through(piece) if screen else (piece,):
                yield shown
        for shown in screen.flush() if screen else ():
            yield shown
        raise
    for shown in screen.flush() if screen else ():
        yield shown
    await _drain(chunks)


def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding not in _CODINGS:
        raise provider_error("malformed", Context(status=response.status_code, raw=f"Content-Encoding: {coding}"))
    return response.aiter_bytes() if coding in ("gzip", "deflate") else response.aiter_raw()


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    size = 0
    with suppress(*CONNECTION_ERRORS):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in chunks:
                size += len(chunk)
                if size > DRAIN_BYTES:
                    return


async def _refused(response: httpx.Response, credential: Credential | None) -> ProviderError:
    """The error for a status that is not 2xx, with as much of its body as comes soon."""
    body = bytearray()
    with suppress(*CONNECTION_ERRORS, ProviderError):
        async with asyncio.timeout(REFUSAL_SECONDS):
            async for chunk in _chunks(response):
                body += chunk
                if len(body) > MAX_REFUSAL_BYTES:
                    break
    return refusal(response.status_code, dict(response.headers), bytes(body[:MAX_REFUSAL_BYTES]), credential)


async def _close(response: httpx.Response) -> None:
    # A connection that is already broken closes with an error that is no news.
    with suppress(*CONNECTION_ERRORS):
        await response.aclose()


@contextmanager
def _mapped(credential: Credential | None) -> Iterator[None]:
    try:
        yield
    except CONNECTION_ERRORS as error:
        raise connection_error(error, credential) from error
