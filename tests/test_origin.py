"""Which pages may open a socket (RFC 6455 10.2): the site's own, and no others."""

import pytest
from channels.testing import WebsocketCommunicator
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from chat.origin import OriginValidator, is_own_page

HOSTS = ["127.0.0.1", "chat.example.com"]


@pytest.fixture(autouse=True)
def hosts(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = HOSTS
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example.com", "https://*.team.example.com"]


def headers(origin: str | None, host: str = "127.0.0.1:8000", **others: str) -> list[tuple[bytes, bytes]]:
    named = {"host": host, **({} if origin is None else {"origin": origin}), **others}
    return [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in named.items()]


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://chat.example.com", "chat.example.com"),
        ("http://chat.example.com", "chat.example.com:80"),
        ("HTTP://Chat.Example.com", "chat.example.com"),
        ("https://trusted.example.com", "127.0.0.1:8000"),
        ("https://a.team.example.com", "127.0.0.1:8000"),
    ],
)
def test_own_and_trusted_pages_pass(origin: str, host: str) -> None:
    assert is_own_page(headers(origin, host))


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:8001",
        "https://127.0.0.1:8000",
        "http://127.0.0.1:8000/",
        "http://127.0.0.1:8000@evil.example",
        "http://evil.example:8000",
        "http://localhost:8000",
        "file://127.0.0.1:8000",
        "http://[",
        "http://127.0.0.1:99999",
        "https://team.example.com",
        "https://evilteam.example.com",
        "http://a.team.example.com",
        "http://trusted.example.com",
    ],
)
def test_foreign_pages_are_refused(origin: str | None) -> None:
    assert not is_own_page(headers(origin))


def test_name_rebound_to_this_machine_is_refused() -> None:
    assert not is_own_page(headers("http://rebound.example:8000", host="rebound.example:8000"))


def test_repeated_origin_is_refused() -> None:
    assert not is_own_page([*headers("http://127.0.0.1:8000"), (b"origin", b"http://127.0.0.1:8000")])


def test_proxy_header_counts_only_where_a_proxy_is_set_up(settings: Settings) -> None:
    through_proxy = headers("https://chat.example.com", "chat.example.com", x_forwarded_proto="https")

    assert not is_own_page(through_proxy)

    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert is_own_page(through_proxy)
    assert not is_own_page(headers("http://chat.example.com", "chat.example.com", x_forwarded_proto="https"))


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_no_text_but_our_own_origin_passes(origin: str) -> None:
    assert not is_own_page(headers(origin))


@pytest.mark.parametrize(("origin", "accepted"), [("http://127.0.0.1:8000", True), ("null", False), (None, False)])
async def test_refusal_comes_before_the_application(origin: str | None, accepted: bool) -> None:
    async def accepts(scope: object, receive: object, send: object) -> None:
        await send({"type": "websocket.accept"})  # type: ignore[operator]

    socket = WebsocketCommunicator(OriginValidator(accepts), "/ws/", headers=headers(origin))
    connected, _ = await socket.connect()

    assert connected is accepted
