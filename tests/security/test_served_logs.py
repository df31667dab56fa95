"""The log of the real process, as lines and as JSON: ids and figures of requests and runs, and no canary."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.fake_provider import FakeProvider, fake_provider
from tests.playground_process import PlaygroundProcess
from tests.waiting import eventually

__all__ = ["fake_provider"]
TOKEN = "hf_CanaryCanaryCanaryCanaryCanary99"
METRICS_TOKEN = "canary-of-prometheus"
PROMPT = "canary-in-a-prompt"
TITLE = "canary-in-a-title"
SEARCH = "canary-in-a-search"
ADDRESS = "canary-in-an-address"
CANARIES = (TOKEN, METRICS_TOKEN, PROMPT, TITLE, SEARCH, ADDRESS, "word1")


@pytest.fixture(params=["line", "json"])
async def served(
    request: pytest.FixtureRequest, tmp_path: Path, fake_provider: FakeProvider
) -> AsyncIterator[PlaygroundProcess]:
    server = PlaygroundProcess(
        tmp_path,
        LOG_FORMAT=request.param,
        LOG_REQUESTS="on",
        HF_TOKEN=TOKEN,
        METRICS_TOKEN=METRICS_TOKEN,
        HF_ROUTER_URL=fake_provider.base_url,
        HF_HUB_URL=fake_provider.hub_url,
    )
    # Beside the event loop: the provider answers in it while the server starts.
    await asyncio.to_thread(server.__enter__)
    yield server
    server.__exit__()


def logged(server: PlaygroundProcess, message: str) -> list[dict[str, str]]:
    """The facts of all lines with that message, as text; fails on a line that is not of the format."""
    lines = [line for line in server.said().splitlines() if message in line]
    if server.environment["LOG_FORMAT"] == "json":
        return [{name: str(value) for name, value in json.loads(line).items()} for line in lines]
    return [dict(re.findall(r" (\w+)=(\S+)", line)) for line in lines]


class Visit:
    """A signed-in person with one chat; every request says which it is."""

    def __init__(self, client: httpx.Client, model: str) -> None:
        self.client = client
        home = self.ask("home", "GET", "/", params={"model": f"hf@{model}"}).text
        self.chat = home.partition("/ws/c/")[2].partition("/")[0]
        self.lane = home.partition('name="lanes" value="')[2].partition('"')[0]
        self.token = home.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]

    def ask(self, request_id: str, method: str, path: str, **more: Any) -> httpx.Response:
        return self.client.request(method, path, headers={"X-Request-ID": request_id}, **more)

    def post(self, request_id: str, path: str, **fields: str) -> httpx.Response:
        fields = {"csrfmiddlewaretoken": self.token, "key": "environment", "lanes": self.lane, **fields}
        return self.ask(request_id, "POST", f"/c/{self.chat}/{path}/", data=fields)


async def test_runs_name_the_requests_that_began_them_and_canaries_stay_out(
    served: PlaygroundProcess, fake_provider: FakeProvider
) -> None:
    with served.signed_in() as client:
        visit = await asyncio.to_thread(Visit, client, "fake/echo")
        answer = await asyncio.to_thread(visit.post, "by-form", "send", text=PROMPT, client_id="x")
        await eventually(lambda: len(logged(served, "Run ended.")) == 1)
        await asyncio.to_thread(visit.post, "renames", "rename", title=TITLE)
        for path in (f"/search/?q={SEARCH}", f"/{ADDRESS}/?q={SEARCH}", "/metrics"):
            await asyncio.to_thread(visit.ask, "looks", "GET", path)
        await send_by_socket(served, visit, "by-socket")
        await eventually(lambda: len(logged(served, "Run ended.")) == 2)

    assert answer.headers["x-request-id"] == "by-form" and PROMPT in str(fake_provider.chats[0].body)
    first, second = logged(served, "Run ended.")
    assert (first["request_id"], first["status"], first["endpoint"]) == ("by-form", "done", "hf")
    assert second["request_id"] == "by-socket"
    assert first["user"] == "1" and float(first["seconds"]) >= float(first["first_token_seconds"]) > 0
    sent = next(facts for facts in logged(served, "Request answered.") if facts["request_id"] == "by-form")
    assert (sent["method"], sent["route"], sent["user"]) == ("POST", "/c/<uuid:conversation_id>/send/", "1")
    assert sent["status"] == "302" and float(sent["seconds"]) > 0
    said = served.said()
    assert not any(canary in said for canary in CANARIES)
    # Once on the terminal of whoever started it, and never in the log.
    assert said.count(served.link.rstrip("/").rpartition("/")[2]) == 1


async def send_by_socket(server: PlaygroundProcess, visit: Visit, request_id: str) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in visit.client.cookies.items())
    headers = {"Origin": server.url, "Cookie": cookies, "X-Request-ID": request_id}
    frame = {"action": "send", "text": f"{PROMPT} again", "client_id": "y", "lanes": [visit.lane]}
    address = f"ws://127.0.0.1:{server.port}/ws/c/{visit.chat}/"
    async with connect(address, additional_headers=headers, proxy=None) as page:
        await page.send(json.dumps(frame))
        await asyncio.wait_for(page.recv(), 10)
