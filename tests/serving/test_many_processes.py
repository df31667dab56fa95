"""Two serving processes with one database and Redis between them act as one: seen from their pages and the provider."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.fake_provider import FakeProvider
from tests.live_page import live_page
from tests.playground_process import PlaygroundProcess, free_port
from tests.redis_process import RedisProcess
from tests.waiting import eventually

pytestmark = pytest.mark.redis

SEED = """
import json, sys
from django.conf import settings
from django.test import Client
from chat.models import Endpoint, Lane
from tests.factories import make_conversation, make_endpoint, make_user
endpoint = make_endpoint("fake", kind="openai", needs_key=False, base_url="http://127.0.0.1:{port}/v1")
made = []
for number in range({count}):
    user = make_user(f"person{{number}}", password=None)
    client = Client()
    client.force_login(user)
    chat = make_conversation(user, "fake/plain", endpoint=endpoint, title="Before")
    made.append([client.cookies[settings.SESSION_COOKIE_NAME].value, str(chat.pk), chat.lanes.get().pk])
print(json.dumps(made))
"""
CHATS = 30
SLOW = "".join(f"word{number} " for number in range(1, 401)).strip()
AWAY, BACK = "Updates from other servers are paused", 'id="relay" role="status" data-state=""'


@dataclass(frozen=True)
class Chat:
    """A chat of somebody who is signed in."""

    session: str
    id: str
    lane: int

    def cookies(self) -> dict[str, str]:
        return {"playground_session": self.session}


@dataclass(frozen=True)
class Fleet:
    """Processes that share everything, and how to start another one."""

    first: PlaygroundProcess
    second: PlaygroundProcess
    redis: RedisProcess
    provider_port: int
    chats: Iterator[Chat]

    def another(self) -> PlaygroundProcess:
        return PlaygroundProcess(self.first.data_dir, REDIS_URL=self.redis.url)

    def ask_for(self, chat: Chat, model: str) -> None:
        """Choose a model for the lane of a chat."""
        self.first.run(f"from chat.models import Lane; Lane.objects.filter(pk={chat.lane}).update(model_id='{model}')")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    data_dir: Path = tmp_path_factory.mktemp("fleet")
    port = free_port()
    with (
        RedisProcess() as redis,
        PlaygroundProcess(data_dir, REDIS_URL=redis.url) as first,
        PlaygroundProcess(data_dir, REDIS_URL=redis.url) as second,
    ):
        chats = json.loads(first.run(SEED.format(port=port, count=CHATS)))
        yield Fleet(first, second, redis, port, iter([Chat(*facts) for facts in chats]))


@pytest.fixture
async def provider(fleet: Fleet) -> AsyncIterator[FakeProvider]:
    async with FakeProvider(fleet.provider_port) as provider:
        yield provider


@pytest.fixture
def chat(fleet: Fleet) -> Chat:
    return next(fleet.chats)


def stored_text(server: PlaygroundProcess, chat: Chat) -> str:
    """The last answer as a reload shows it."""
    page = httpx.get(f"{server.url}/c/{chat.id}/", cookies=chat.cookies(), trust_env=False).text
    bodies = re.findall(r'class="answer-body prose" id="answer-\d+-body" hx-disable>(.*?)</div>', page, re.DOTALL)
    return re.sub(r"<[^>]+>", "", bodies[-1])


def post(server: PlaygroundProcess, chat: Chat, path: str, **fields: str) -> None:
    headers = {"Origin": server.url}
    with httpx.Client(base_url=server.url, cookies=chat.cookies(), headers=headers, trust_env=False) as client:
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/").text)[0]
        assert client.post(path, data={"csrfmiddlewaretoken": token, **fields}).status_code < 400


async def test_an_answer_is_watched_elsewhere_to_the_letter(fleet: Fleet, chat: Chat, provider: FakeProvider) -> None:
    fleet.ask_for(chat, "fake/slow:4")
    async with (
        live_page(fleet.first.url, chat.session, chat.id) as here,
        live_page(fleet.second.url, chat.session, chat.id) as there,
    ):
        await here.send("Count.", chat.lane)
        await there.until_text("word50 ")
        middle = there.seen
        await there.until('data-status="done" data-status-of')
        await here.until('data-status="done" data-status-of')

    assert 'data-status="done" data-status-of' not in middle
    assert there.text.strip() == here.text.strip() == SLOW == stored_text(fleet.second, chat).strip()
    assert "tok/s" in there.seen


async def test_an_answer_is_joined_in_the_middle_elsewhere(fleet: Fleet, chat: Chat, provider: FakeProvider) -> None:
    fleet.ask_for(chat, "fake/slow:8")
    async with live_page(fleet.first.url, chat.session, chat.id) as here:
        await here.send("Count.", chat.lane)
        await here.until_text("word100 ")
        async with live_page(fleet.second.url, chat.session, chat.id) as there:
            await there.until_text("word150 ")
            assert there.text.startswith("word1 word2 ")
            await there.until('data-status="done" data-status-of')

    assert there.text.strip() == SLOW


async def test_a_question_asked_there_waits_for_the_answer_here(
    fleet: Fleet, chat: Chat, provider: FakeProvider
) -> None:
    fleet.ask_for(chat, "fake/slow:4")
    async with (
        live_page(fleet.first.url, chat.session, chat.id) as here,
        live_page(fleet.second.url, chat.session, chat.id) as there,
    ):
        await here.send("Count.", chat.lane)
        await there.until_text("word50 ")
        await there.send("Again.", chat.lane)
        await eventually(lambda: there.seen.count('data-status="done" data-status-of') >= 2, within=30)
        await eventually(lambda: here.seen.count('data-status="done" data-status-of') >= 2)

    assert [text.strip() for text in there.texts.values()] == [SLOW, SLOW]
    assert here.texts == there.texts
    assert len(provider.chats[-1].body["messages"]) == 3


async def test_a_stop_elsewhere_ends_the_request(fleet: Fleet, chat: Chat, provider: FakeProvider) -> None:
    fleet.ask_for(chat, "fake/slow:50")
    async with (
        live_page(fleet.first.url, chat.session, chat.id) as here,
        live_page(fleet.second.url, chat.session, chat.id) as there,
    ):
        await here.send("Count.", chat.lane)
        await there.until_text("word5 ")
        await there.say("stop", run=max(there.texts))
        await asyncio.wait_for(provider.chats[-1].left.wait(), 10)
        await there.until('data-status="stopped" data-status-of')

    assert there.text.strip() == stored_text(fleet.first, chat).strip()


async def test_what_is_asked_and_renamed_here_shows_there(fleet: Fleet, chat: Chat, provider: FakeProvider) -> None:
    async with (
        live_page(fleet.first.url, chat.session, chat.id) as here,
        live_page(fleet.second.url, chat.session, chat.id) as there,
    ):
        await here.send("A question of mine", chat.lane)
        await there.until("A question of mine")
        post(fleet.first, chat, f"/c/{chat.id}/rename/", title="Afterwards")
        await there.until("Afterwards")


async def test_an_answer_whose_process_is_killed_is_shown_interrupted_elsewhere(
    fleet: Fleet, chat: Chat, provider: FakeProvider
) -> None:
    fleet.ask_for(chat, "fake/slow:50")
    with fleet.another() as doomed:
        async with live_page(fleet.second.url, chat.session, chat.id) as there:
            async with live_page(doomed.url, chat.session, chat.id) as here:
                await here.send("Count.", chat.lane)
                await there.until_text("word20 ")
                doomed.end(signal.SIGKILL)
            await there.until('data-status="interrupted" data-status-of', within=25)

    assert there.text.startswith("word1 word2 ")
    assert there.text.strip() == stored_text(fleet.first, chat).strip()


async def test_signing_out_here_closes_the_pages_there(fleet: Fleet, chat: Chat) -> None:
    async with live_page(fleet.second.url, chat.session, chat.id) as there:
        post(fleet.first, chat, "/accounts/logout/")
        await eventually(lambda: there.close_code == 4401)


def test_failed_sign_ins_count_together(fleet: Fleet) -> None:
    def try_at(server: PlaygroundProcess) -> str:
        # As through a proxy: both are reached under one name.
        headers = {"Host": f"localhost:{fleet.first.port}", "Origin": f"http://localhost:{fleet.first.port}"}
        with httpx.Client(base_url=server.url, headers=headers, trust_env=False) as client:
            token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/accounts/login/").text)[0]
            fields = {"csrfmiddlewaretoken": token, "login": "person0", "password": "a guess"}
            return client.post("/accounts/login/", data=fields).text

    first = [try_at(fleet.first) for _ in range(5)]

    assert not any("Too many" in answer for answer in first)
    assert "Too many" in try_at(fleet.second)


async def test_redis_goes_and_comes_back(fleet: Fleet, chat: Chat, provider: FakeProvider) -> None:
    fleet.ask_for(chat, "fake/slow:40")
    async with (
        live_page(fleet.first.url, chat.session, chat.id) as here,
        live_page(fleet.second.url, chat.session, chat.id) as there,
    ):
        await here.send("Count.", chat.lane)
        await there.until_text("word20 ")

        fleet.redis.stop()
        await there.until(AWAY)
        await here.until(AWAY)
        await here.until_text("word150 ")
        assert httpx.get(f"{fleet.second.url}/", cookies=chat.cookies(), trust_env=False).status_code == 200
        assert httpx.get(f"{fleet.second.url}/accounts/login/", trust_env=False).status_code == 200
        ready = httpx.get(f"{fleet.second.url}/readyz", trust_env=False)
        assert (ready.status_code, ready.text) == (200, "degraded\n")
        await asyncio.to_thread(fleet.redis.start)

        told = there.seen.rindex(AWAY)
        await eventually(lambda: BACK in there.seen[told:], within=15)
        await there.until('data-status="done" data-status-of')

    assert there.text.strip() == SLOW


async def test_an_answer_asked_while_redis_is_away_is_seen_elsewhere_when_it_is_back(
    fleet: Fleet, chat: Chat, provider: FakeProvider
) -> None:
    fleet.ask_for(chat, "fake/slow:40")
    async with (
        live_page(fleet.first.url, chat.session, chat.id) as here,
        live_page(fleet.second.url, chat.session, chat.id) as there,
    ):
        fleet.redis.stop()
        await here.until(AWAY)
        await here.send("Count.", chat.lane)
        await here.until_text("word20 ")
        await asyncio.to_thread(fleet.redis.start)

        await there.until_text("word20 ")
        await there.until('data-status="done" data-status-of', within=30)

    assert there.text.strip() == SLOW


async def test_a_stop_elsewhere_is_noticed_without_redis(fleet: Fleet, chat: Chat, provider: FakeProvider) -> None:
    fleet.ask_for(chat, "fake/slow:100")
    async with (
        live_page(fleet.first.url, chat.session, chat.id) as here,
        live_page(fleet.second.url, chat.session, chat.id) as there,
    ):
        await here.send("Count.", chat.lane)
        await there.until_text("word5 ")
        fleet.redis.stop()
        await there.say("stop", run=max(there.texts))
        await asyncio.wait_for(provider.chats[-1].left.wait(), 15)
        await asyncio.to_thread(fleet.redis.start)
        await there.until('data-status="stopped" data-status-of')
