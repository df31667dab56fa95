"""The whole process from outside: first page, static files, sockets, signals."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from threading import Event
from uuid import uuid4

import httpx
import pytest
from django.conf import settings
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.keys.hub import Hub, JsonAnswer, whoami
from tests.playground_process import PlaygroundProcess, children_of

NEW_CHAT = """
from chat.models import Conversation, User
print(Conversation.objects.create(owner=User.objects.get(), topic="c").pk)
"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data that all servers of this module share, so that only the first one has to make it."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def served(data_dir: Path) -> Iterator[PlaygroundProcess]:
    with PlaygroundProcess(data_dir) as server:
        yield server


def cookies(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def test_printed_link_signs_in_once(served: PlaygroundProcess) -> None:
    with served.signed_in() as client:
        first = client.get("/")
    again = httpx.get(served.link, trust_env=False)

    assert first.status_code == 200
    assert "/accounts/login/" not in str(first.url)
    assert "used" in again.text


def test_page_allows_nothing_inline_and_no_framing(served: PlaygroundProcess) -> None:
    headers = httpx.get(f"{served.url}/accounts/login/", trust_env=False).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_static_file_is_compressed_and_kept_for_ever(served: PlaygroundProcess) -> None:
    page = httpx.get(f"{served.url}/accounts/login/", trust_env=False).text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]

    response = httpx.get(f"{served.url}{address}", trust_env=False, headers={"Accept-Encoding": "br"})

    assert response.headers["content-encoding"] == "br"
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in response.headers


def test_admin_has_no_sign_in_form_of_its_own(served: PlaygroundProcess) -> None:
    response = httpx.get(f"{served.url}/admin/login/", trust_env=False)

    assert response.status_code == 302
    assert response.headers["location"].startswith("/accounts/login/")


def test_unknown_host_name_is_refused(served: PlaygroundProcess) -> None:
    response = httpx.get(f"{served.url}/accounts/login/", trust_env=False, headers={"Host": "rebound.example"})

    assert response.status_code == 400


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1"])
async def test_socket_of_a_foreign_page_is_refused(served: PlaygroundProcess, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}

    with pytest.raises(InvalidHandshake):
        async with connect(f"ws://127.0.0.1:{served.port}/ws/c/{uuid4()}/", additional_headers=headers, proxy=None):
            raise AssertionError("the handshake went through")


def test_second_server_on_the_port_says_so_in_one_sentence(served: PlaygroundProcess) -> None:
    command = [sys.executable, "manage.py", "serve"]

    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=served.environment, capture_output=True, text=True, check=False, timeout=30
    )

    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"Cannot start: Port {served.port} is in use by another program: stop that one, or set PORT to a free port."
    )


async def test_sigterm_closes_sockets_so_that_pages_come_back(data_dir: Path) -> None:
    with PlaygroundProcess(data_dir) as server, server.signed_in() as client:
        headers = {"Origin": server.url, "Cookie": cookies(client)}
        chat = await asyncio.to_thread(server.run, NEW_CHAT)
        async with connect(
            f"ws://127.0.0.1:{server.port}/ws/c/{chat}/", additional_headers=headers, proxy=None
        ) as page:
            server.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed):
                async with asyncio.timeout(5):
                    while True:
                        await page.recv()
        code = await asyncio.to_thread(server.process.wait, 15)

        assert page.close_code == 4012
        assert page.protocol.extensions == []
        assert code == 0


def test_ctrl_c_ends_everything_within_five_seconds(data_dir: Path) -> None:
    with PlaygroundProcess(data_dir, LOCAL_MODEL="on") as server:
        children = children_of(server.process.pid)
        seconds = server.end(signal.SIGINT)

        assert len(children) == 1
        assert seconds < 5
        assert server.process.returncode == 0
        assert not Path(f"/proc/{children[0]}").exists()
        assert "Traceback" not in server.said()


def test_nobody_connects_after_the_end_began(data_dir: Path) -> None:
    with PlaygroundProcess(data_dir) as server:
        server.end(signal.SIGTERM)

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=1)


def test_killed_server_leaves_no_model_behind(data_dir: Path) -> None:
    with PlaygroundProcess(data_dir, LOCAL_MODEL="on") as server:
        (child,) = children_of(server.process.pid)
        server.end(signal.SIGKILL)

        deadline = time.monotonic() + 20
        while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not Path(f"/proc/{child}").exists()


@pytest.mark.postgres
def test_processes_that_start_together_on_an_empty_database_all_serve(tmp_path: Path) -> None:
    servers = [PlaygroundProcess(tmp_path) for _ in range(3)]

    with ExitStack() as running, ThreadPoolExecutor(3) as at_once:
        list(at_once.map(running.enter_context, servers))

        assert [httpx.get(f"{server.url}/readyz", trust_env=False).text for server in servers] == ["ready\n"] * 3


class HesitantHub(Hub):
    """Says nothing before it is told to."""

    def __init__(self) -> None:
        self.asked, self.told = Event(), Event()
        super().__init__()

    def answer(self, path: str, authorization: str) -> JsonAnswer:
        self.asked.set()
        self.told.wait(10)
        return super().answer(path, authorization)


def test_a_form_that_was_sent_before_the_end_is_answered(tmp_path: Path) -> None:
    hub, find = HesitantHub(), "from chat.models import Endpoint; print(Endpoint.objects.get(kind='router').pk)"
    hub.says["hf_good_of_somebody"] = whoami()
    with closing(hub), PlaygroundProcess(tmp_path, HF_HUB_URL=hub.url) as server, server.signed_in() as client:
        fields = {"secret": "hf_good_of_somebody", "label": "Work", "endpoint": server.run(find)}
        fields["csrfmiddlewaretoken"] = client.get("/keys/").text.partition('middlewaretoken" value="')[2][:64]

        with ThreadPoolExecutor(1) as browser:
            sending = browser.submit(client.post, "/keys/add/", data=fields, follow_redirects=False)
            hub.asked.wait(10)
            server.process.send_signal(signal.SIGTERM)
            until_refused(server.port)
            hub.told.set()
            answer = sending.result()

        assert answer.status_code == 302
        assert server.process.wait(15) == 0


def until_refused(port: int) -> None:
    deadline = time.monotonic() + 10
    with suppress(ConnectionRefusedError):
        while time.monotonic() < deadline:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            time.sleep(0.05)
        raise AssertionError("It still listens.")
