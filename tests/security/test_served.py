"""The real process, from outside: bodies without end, sockets that nobody serves, and a canary in every place."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.playground_process import PlaygroundProcess

CANARY = "hf_CanaryCanaryCanaryCanaryCanary99"
PROMPT = "my-private-prompt-of-today"
# What an attacker sends where the server keeps all it is sent.
ENOUGH = 40_000_000


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaygroundProcess]:
    with PlaygroundProcess(tmp_path_factory.mktemp("served"), HF_TOKEN=CANARY) as server:
        yield server


def bytes_let_in(server: PlaygroundProcess, head: bytes, piece: bytes) -> int:
    """Post ``piece`` again and again; how much of that the server takes before it ends the connection."""
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        line.sendall(b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n" + head + b"\r\n\r\n")
        with suppress(ConnectionError):
            while sent < ENOUGH:
                line.sendall(piece)
                sent += len(piece)
    return sent


def test_a_body_that_says_to_be_huge_is_not_taken_in(served: PlaygroundProcess) -> None:
    sent = bytes_let_in(served, b"Content-Length: 40000000", b"x" * 65_536)

    assert sent < 10_000_000
    assert httpx.get(f"{served.url}/healthz", trust_env=False).status_code == 200


def test_a_body_without_a_length_is_not_taken_in_for_ever(served: PlaygroundProcess) -> None:
    piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"

    sent = bytes_let_in(served, b"Transfer-Encoding: chunked", piece)

    assert sent < 25_000_000
    assert httpx.get(f"{served.url}/healthz", trust_env=False).status_code == 200


def test_a_huge_body_is_told_so(served: PlaygroundProcess) -> None:
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 40000000\r\n\r\n"

    with socket.create_connection(("127.0.0.1", served.port), timeout=5) as line:
        line.sendall(head)
        said = line.recv(1000)

    assert said.startswith(b"HTTP/1.1 413 ")


async def test_a_socket_that_nobody_serves_leaves_no_trace_in_the_log(served: PlaygroundProcess) -> None:
    for path in ("/ws/", "/no/such/socket"):
        with pytest.raises(ConnectionClosed) as closed:
            async with connect(f"ws://127.0.0.1:{served.port}{path}", origin=served.url, proxy=None) as page:  # type: ignore[arg-type]
                await asyncio.wait_for(page.recv(), 5)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4404

    assert "Traceback" not in served.said() and "No route" not in served.said()


def test_static_files_are_typed_and_stay_on_this_site(served: PlaygroundProcess) -> None:
    page = httpx.get(f"{served.url}/accounts/login/", trust_env=False).text
    path = page.partition('rel="stylesheet" href="')[2].partition('"')[0]

    headers = httpx.get(f"{served.url}{path}", trust_env=False).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    assert "Server" not in headers


def test_another_hosts_name_is_not_answered(served: PlaygroundProcess) -> None:
    answer = httpx.get(f"{served.url}/accounts/login/", headers={"Host": "evil.example"}, trust_env=False)

    assert answer.status_code == 400 and "evil.example" not in answer.text


def everything_stored(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_token_and_prompt_come_out_of_no_door(served: PlaygroundProcess) -> None:
    with served.signed_in() as client:
        home = client.get("/").text
        chat = home.partition("/ws/c/")[2].partition("/")[0]
        lane = home.partition('name="lanes" value="')[2].partition('"')[0]
        token = home.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        fields = {"csrfmiddlewaretoken": token, "text": PROMPT, "client_id": "x", "lanes": lane, "key": "environment"}
        sent = client.post(f"/c/{chat}/send/", data=fields)
        pages = [home, sent.text, *(client.get(path).text for path in ("/keys/", "/usage/", "/models/", "/settings/"))]
        pages += [client.get(path).text for path in ("/admin/", "/admin/chat/usagerecord/", "/admin/chat/endpoint/")]

    assert sent.status_code == 200 and PROMPT in sent.text
    assert not any(CANARY in page for page in pages)
    assert CANARY.encode() not in everything_stored(served.data_dir)
    assert CANARY not in served.said() and PROMPT not in served.said()
