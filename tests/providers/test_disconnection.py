"""Connections that fail, over real sockets: what people are told, and that nothing of the HTTP libraries gets out."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from chat.providers.client import get_json
from chat.providers.errors import ProviderError
from chat.providers.reach import Reach
from chat.providers.requests import Timeouts
from tests.providers.conftest import Answer, collect, question

pytestmark = pytest.mark.usefixtures("closing_client")


@asynccontextmanager
async def server(*written: bytes, reset: bool = False, wait: float = 0.0) -> AsyncIterator[str]:
    """A server that reads a little, writes these bytes and closes the connection; gives its base URL."""

    stop = asyncio.Event()
    handlers: set[asyncio.Task[Any] | None] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.add(asyncio.current_task())
        await reader.read(10)
        for piece in written:
            writer.write(piece)
            await writer.drain()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)
        if reset:
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        stop.set()
        await asyncio.gather(*filter(None, handlers))


async def asked(base_url: str) -> Answer:
    return await collect(question(base_url, timeouts=Timeouts(connect=0.3, first_token=2, between_tokens=2)))


async def failure(base_url: str) -> ProviderError:
    answer = await asked(base_url)
    assert answer.error is not None
    return answer.error


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_port_without_a_server_refuses_the_connection() -> None:
    error = await failure(f"http://127.0.0.1:{free_port()}")

    assert error.kind == "refused_connection"
    assert "127.0.0.1" in error.raw


async def test_name_that_does_not_exist_is_told_apart() -> None:
    assert (await failure("https://nonexistent.invalid/v1")).kind == "dns"


async def test_server_without_encryption_fails_the_secure_connection() -> None:
    async with server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as address:
        assert (await failure(f"https://{address}")).kind == "tls"


async def test_certificate_that_nobody_vouches_for_fails_the_secure_connection(untrusted: ssl.SSLContext) -> None:
    listening = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=untrusted)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        assert (await failure(f"https://127.0.0.1:{port}")).kind == "tls"


async def test_server_that_accepts_but_never_shakes_hands_is_a_connect_timeout() -> None:
    async with server(wait=5) as address:
        assert (await failure(f"https://{address}")).kind == "connect_timeout"


async def test_server_that_hangs_up_breaks_the_connection() -> None:
    async with server() as address:
        assert (await failure(f"http://{address}")).kind == "broken_connection"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNK = b'data: {"choices":[{"delta":{"content":"half"}}]}\n\n'


@pytest.mark.parametrize("reset", [True, False])
async def test_connection_that_breaks_in_the_body_keeps_the_text(reset: bool) -> None:
    body = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + f"{len(CHUNK):x}\r\n".encode() + CHUNK + b"\r\n"
    async with server(body, reset=reset, wait=0.05) as address:
        answer = await asked(f"http://{address}")

    assert answer.error is not None
    assert (answer.text, answer.error.kind) == ("half", "broken_connection")


async def test_text_held_back_as_a_possible_tag_is_not_lost_when_the_connection_breaks() -> None:
    held = b'data: {"choices":[{"delta":{"content":"<thi"}}]}\n\n'
    async with server(HEAD + b"Content-Length: 1000\r\n\r\n" + held) as address:
        answer = await asked(f"http://{address}")

    assert answer.error is not None
    assert (answer.text, answer.error.kind) == ("<thi", "broken_connection")


async def test_body_without_a_length_that_just_ends_is_cut_off() -> None:
    async with server(HEAD + b"\r\n" + CHUNK) as address:
        answer = await asked(f"http://{address}")

    assert answer.error is not None
    assert (answer.text, answer.error.kind) == ("half", "cut_off")


@pytest.mark.parametrize(
    "written",
    [
        b"NONSENSE\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        HEAD + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_answer_that_is_not_http_is_malformed(written: bytes) -> None:
    async with server(written) as address:
        assert (await failure(f"http://{address}")).kind == "malformed"


async def test_broken_chunks_are_a_broken_connection() -> None:
    async with server(HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + CHUNK) as address:
        assert (await failure(f"http://{address}")).kind in ("broken_connection", "malformed")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "http://",
        "http://127.0.0.1:999999",
        "http://169.254.169.254",
        "http://[::ffff:169.254.169.254]",
        "http://0.0.0.0:80",
    ],
)
async def test_address_that_cannot_be_one_is_told_apart(url: str) -> None:
    assert (await failure(url)).kind == "bad_address"


async def test_document_from_a_dead_server_is_an_error_too() -> None:
    with pytest.raises(ProviderError) as caught:
        await get_json(f"http://127.0.0.1:{free_port()}/v1/models", reach=Reach.PRIVATE)

    assert caught.value.kind == "refused_connection"


@pytest.fixture
def untrusted(tmp_path: Path) -> ssl.SSLContext:
    """A server's side of TLS with a certificate that it signed itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number(), now, now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(private, hashes.SHA256())
    )
    both = tmp_path / "both.pem"
    both.write_bytes(
        certificate.public_bytes(Encoding.PEM)
        + private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context
