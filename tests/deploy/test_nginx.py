"""Two processes behind nginx as it is deployed: pages, forms, sockets, streams, and one of them going away."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.backends import REDIS_URL
from tests.deploy import nginx
from tests.e2e.browser import Provider
from tests.e2e.conftest import provider
from tests.playground_process import PlaygroundProcess, free_port

__all__ = ["provider"]
METRICS_TOKEN = "what-prometheus-was-told"


class Site:
    """The playground as people reach it, and the processes behind it."""

    def __init__(self, proxy: nginx.Proxy, processes: list[PlaygroundProcess]) -> None:
        self.url = proxy.url
        self.processes = processes

    @contextmanager
    def signed_in(self) -> Iterator[httpx.Client]:
        link = self.processes[0].run("from chat.management.commands.serve import one_time_link; print(one_time_link())")
        headers = {"Origin": self.url}
        with httpx.Client(base_url=self.url, trust_env=False, headers=headers, follow_redirects=True) as client:
            client.post(link, data={"csrfmiddlewaretoken": token_in(client.get(link).text)}).raise_for_status()
            yield client


def token_in(page: str) -> str:
    return page.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]


@contextmanager
def site_of(folder: Path, provider: Provider) -> Iterator[Site]:
    port, data_dir = free_port(), folder / "data"
    environment = {
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "HF_ROUTER_URL": f"{provider.url}/v1",
        "HF_HUB_URL": provider.url,
        "HF_TOKEN": "hf_good_of_the_server",
        "METRICS_TOKEN": METRICS_TOKEN,
        "DRAIN_SECONDS": "5",
        **({"REDIS_URL": REDIS_URL} if REDIS_URL else {}),
    }
    with ExitStack() as running:
        processes = [running.enter_context(PlaygroundProcess(data_dir, **environment)) for _ in range(2)]
        proxy = running.enter_context(nginx.running(folder, [process.port for process in processes], port))
        yield Site(proxy, processes)


@pytest.fixture(scope="module")
def site(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    nginx.needed()
    with site_of(tmp_path_factory.mktemp("site"), provider) as site:
        yield site


class Chat:
    """A chat of a signed-in person with one model."""

    def __init__(self, client: httpx.Client, model: str) -> None:
        home = client.get("/", params={"model": f"hf@{model}"}).text
        self.client = client
        self.token = token_in(home)
        self.path = f"/ws/c/{home.partition('/ws/c/')[2].partition('/')[0]}/"
        self.lane = home.partition('name="lanes" value="')[2].partition('"')[0]

    @asynccontextmanager
    async def socket(self, origin: str) -> AsyncIterator[ClientConnection]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        address = str(self.client.base_url).replace("http", "ws", 1).rstrip("/") + self.path
        headers = {"Origin": origin, "Cookie": cookies}
        async with connect(address, additional_headers=headers, proxy=None) as page:
            yield page


async def seen_until(page: ClientConnection, part: str) -> str:
    """Take frames and acknowledge them until ``part`` was in one."""
    seen = ""
    async with asyncio.timeout(10):
        while part not in seen:
            frame = str(await page.recv())
            number = frame.removeprefix("<!--f:").partition("-->")[0]
            await page.send(json.dumps({"action": "ack", "frame": int(number)}))
            seen += frame
    return seen


async def test_an_answer_streams_word_by_word(site: Site, provider: Provider) -> None:
    with site.signed_in() as client:
        chat = Chat(client, "fake/gated:8100")
        async with chat.socket(site.url) as page:
            await page.send(json.dumps({"action": "send", "text": "Hi", "client_id": "x", "lanes": [chat.lane]}))
            for word in ("The", "sea", "is"):
                await provider.release("gated:8100", 1)
                await seen_until(page, word)
            await provider.open("gated:8100")
            await seen_until(page, 'data-status="done"')


async def test_a_socket_of_another_page_is_refused(site: Site) -> None:
    with site.signed_in() as client:
        chat = Chat(client, "fake/plain")
        with pytest.raises(InvalidHandshake):
            async with chat.socket("http://evil.example"):
                raise AssertionError("the handshake went through")


def test_forms_of_its_own_pages_are_taken_and_others_refused(site: Site) -> None:
    with site.signed_in() as client:
        fields = {"csrfmiddlewaretoken": Chat(client, "fake/plain").token, "theme": "dark"}
        own = client.post("/settings/theme/", data=fields)
        foreign = client.post("/settings/theme/", data=fields, headers={"Origin": "http://evil.example"})

    assert (own.status_code, foreign.status_code) == (200, 403)


def test_each_process_is_watched_on_its_own_port_alone(site: Site) -> None:
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    direct = [httpx.get(f"{process.url}/metrics", headers=headers, trust_env=False) for process in site.processes]
    outside = [httpx.get(f"{site.url}{path}", headers=headers, trust_env=False) for path in ("/metrics", "/readyz")]

    assert [page.status_code for page in direct] == [200, 200]
    assert [page.status_code for page in outside] == [404, 404]


async def test_pages_of_a_process_that_drains_come_back_at_the_other(tmp_path: Path, provider: Provider) -> None:
    nginx.needed()
    with site_of(tmp_path, provider) as site, site.signed_in() as client:
        chat = Chat(client, "fake/plain")
        async with chat.socket(site.url) as page:
            leaving = site.processes[0 if await serves_a_socket(site.processes[0]) else 1]
            leaving.process.send_signal(signal.SIGTERM)
            with pytest.raises(ConnectionClosed) as closed:
                await seen_until(page, "never")
        async with chat.socket(site.url) as page:
            await page.send(json.dumps({"action": "hello", "stamp": ""}))
            await seen_until(page, "<!--f:")
        await asyncio.to_thread(leaving.process.wait, 15)
        statuses = [(await asyncio.to_thread(client.get, "/")).status_code for _ in range(10)]

    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4012
    assert statuses == [200] * 10


async def serves_a_socket(process: PlaygroundProcess) -> bool:
    def page() -> str:
        headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
        return httpx.get(f"{process.url}/metrics", headers=headers, trust_env=False).text

    return "playground_open_sockets 1.0" in await asyncio.to_thread(page)


@pytest.mark.parametrize("path", ["/", "/static/", "/static/%2e%2e/keys/"])
async def test_what_a_visitor_says_of_itself_is_overwritten(path: str, tmp_path: Path) -> None:
    asked: list[dict[str, str]] = []

    async def remember(request: web.Request) -> web.Response:
        asked.append({name.lower(): value for name, value in request.headers.items()})
        return web.Response(text="")

    application = web.Application()
    application.router.add_get("/{path:.*}", remember)
    runner, port = web.AppRunner(application), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    said: dict[str, Any] = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=203.0.113.9",
        "X-Request-ID": "chosen-by-a-visitor",
    }

    with nginx.running(tmp_path, [port]) as proxy:
        async with httpx.AsyncClient(trust_env=False, headers=said) as client:
            await client.get(f"{proxy.url}{path}", headers={"Host": "chat.example:8080"})
    await runner.cleanup()

    [headers] = asked
    assert headers["host"] == "chat.example:8080"
    assert (headers["x-forwarded-for"], headers["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert "x-forwarded-host" not in headers and "forwarded" not in headers
    assert len(headers["x-request-id"]) == 32
