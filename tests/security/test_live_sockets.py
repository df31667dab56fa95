"""Rights that end while a page is open, pages that crowd or never listen, and addresses that nobody serves."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.db import OperationalError
from pytest_django import Settings

from chat.accounts import sockets
from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations import list_actions, verbs
from chat.conversations.models import Conversation, Lane
from chat.database import in_database
from chat.pump import MOST_EVENTS, MOST_REPLIES, Pump
from chat.runs.broadcast import LanesChanged, RunEnded
from playground.asgi import application
from tests.conversations.test_socket import HOST, ORIGIN, Page, send, session_of
from tests.factories import make_administrator
from tests.fake_provider import FakeProvider
from tests.waiting import eventually

LOSSES = {
    "switched off": lambda user, chat: User.objects.filter(pk=user.pk).update(is_active=False),
    "signed out": lambda user, chat: Session.objects.all().delete(),
    "password changed": lambda user, chat: User.objects.filter(pk=user.pk).update(password="!other"),
}


@pytest.fixture
async def key(alice: User) -> str:
    return await in_database(session_of, alice)


@pytest.fixture
async def watched(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Open sockets are looked at, five times a second."""
    monkeypatch.setattr(sockets, "CHECK_SECONDS", 0.2)
    watch = asyncio.create_task(sockets.watch_forever())
    yield
    watch.cancel()


@pytest.fixture
async def page(chat: Conversation, key: str, engine: None, fake_provider: FakeProvider) -> AsyncIterator[Page]:
    await in_database(lambda: Endpoint.objects.update(base_url=fake_provider.base_url))
    await in_database(lambda: Lane.objects.update(model_id="fake/gated"))
    page = Page(chat.pk, key)
    assert await page.open()
    yield page
    await page.socket.disconnect()


async def rest(page: Page) -> str:
    """All that is still sent, until the socket is closed or falls silent."""
    seen = ""
    while not await page.socket.receive_nothing(timeout=0.3):
        message = await page.socket.receive_output()
        if message["type"] == "websocket.close":
            return f"{seen}closed {message['code']}"
        seen += message["text"]
        await page.say(action="ack", frame=10**6)
    return seen


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_right_that_ends_behind_our_back_ends_the_stream(
    loss: str, watched: None, page: Page, chat: Conversation, alice: User
) -> None:
    """Nobody told the socket, as when another process or an SQL console did it; there is always something to send."""
    await in_database(lambda: Lane.objects.update(model_id="fake/slow:5"))
    await send(page, chat)
    await page.until("word9 ")

    await in_database(LOSSES[loss], alice, chat)
    seen = await rest(page)

    assert "word400" not in seen and seen.endswith("closed 4401")


async def test_a_look_at_the_sockets_that_fails_is_not_the_last(
    page: Page, watched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, failed = sockets._holding, asyncio.Event()
    loop = asyncio.get_running_loop()

    def fail_once(*args: Any) -> Any:
        if not failed.is_set():
            loop.call_soon_threadsafe(failed.set)
            raise LookupError("nobody thought of this")
        return look(*args)

    monkeypatch.setattr(sockets, "_holding", fail_once)
    await failed.wait()
    await in_database(lambda: Session.objects.all().delete())

    assert await page.close_code() == sockets.SESSION_ENDED


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_page_that_says_hello_is_asked_for_its_right(
    loss: str, page: Page, chat: Conversation, alice: User
) -> None:
    await in_database(LOSSES[loss], alice, chat)

    await page.say(action="hello", stamp="long ago")
    seen = await rest(page)

    assert seen == "closed 4401"


async def test_a_chat_that_is_deleted_is_streamed_no_further(
    page: Page, chat: Conversation, fake_provider: FakeProvider
) -> None:
    await send(page, chat)
    fake_provider.gate("gated").release()
    await page.until("The")

    await in_database(list_actions.delete, chat)
    fake_provider.gate("gated").open()
    await page.say(action="hello", stamp="long ago")
    seen = await rest(page)

    assert "tonight" not in seen and 'id="lanes"' not in seen


async def test_many_pages_at_once_do_not_pass_the_ceiling(
    chat: Conversation, key: str, engine: None, settings: Any
) -> None:
    settings.MAX_SOCKETS = 3
    pages = [Page(chat.pk, key) for _ in range(9)]

    await asyncio.gather(*(page.open() for page in pages))
    refused = [page for page in pages if (await rest(page)).endswith("closed 4429")]

    assert len(refused) == 6
    for page in pages:
        await page.socket.disconnect()


@pytest.mark.parametrize(
    "path", ["/", "/ws/", "/ws/c/not-a-uuid/", "/keys/", "/ws/c/%00/", "/ws/c/00000000-0000-4000-8000-000000000000/x"]
)
async def test_an_address_without_a_socket_is_closed_quietly(path: str, db: None) -> None:
    headers = [(b"host", HOST.encode()), (b"origin", ORIGIN.encode())]
    socket = WebsocketCommunicator(application, path, headers)

    connected, _ = await socket.connect(timeout=5)
    message = await socket.receive_output(timeout=5)

    assert connected and (message["type"], message["code"]) == ("websocket.close", 4404)


@pytest.fixture
def layer_away(settings: Settings) -> None:
    unreachable = {"hosts": ["redis://127.0.0.1:9/0"]}
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": unreachable}
    }


@pytest.mark.parametrize(("origin", "said"), [(ORIGIN, ["accept", "close"]), ("https://evil.example", ["close"])])
async def test_a_stranger_reaches_no_channel_layer(origin: str, said: list[str], layer_away: None) -> None:
    headers = [(b"host", HOST.encode()), (b"origin", origin.encode())]
    socket = WebsocketCommunicator(application, "/ws/", headers)

    await socket.send_input({"type": "websocket.connect"})
    heard = [await socket.receive_output(timeout=5) for _ in said]

    assert [message["type"] for message in heard] == [f"websocket.{word}" for word in said]


@pytest.mark.django_db(transaction=True)
async def test_administrators_cannot_watch(chat: Conversation) -> None:
    ada = await in_database(make_administrator)
    page = Page(chat.pk, await in_database(session_of, ada))
    await page.open()

    assert await page.close_code() == 4404


async def test_half_a_character_can_be_sent(page: Page, chat: Conversation) -> None:
    lane = await in_database(Lane.objects.values_list("pk", flat=True).get)

    frame = json.dumps({"action": "send", "text": "half \ud83d", "lanes": [lane], "client_id": "x"})
    await page.socket.send_to(text_data=frame)
    seen = await page.until("half \ufffd")

    assert "\ud83d" not in seen


async def test_what_a_page_calls_its_wish_stays_out_of_the_log(
    page: Page, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> verbs.Done:
        raise OperationalError("database is locked")

    monkeypatch.setattr(verbs, "perform", fail)

    await page.say(action="canary\nERROR chat: all keys were stolen")
    await page.until("Try again")

    assert "database is locked" in caplog.text
    assert "canary" not in caplog.text


async def test_a_stamp_that_waits_is_as_short_as_a_stamp(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    greeted: list[str] = []
    monkeypatch.setattr(Pump, "greet", lambda self, stamp: greeted.append(stamp))

    await page.say(action="hello", stamp="7" * 800_000)
    await eventually(lambda: bool(greeted))

    assert len(greeted[0]) < 100


async def test_a_page_that_takes_nothing_leaves_a_bounded_heap(chat: Conversation, alice: User) -> None:
    async def silent(frame: str) -> None: ...

    pump = Pump(alice, chat, silent)
    for number in range(10 * MOST_EVENTS):
        pump._receive(RunEnded(number))
        pump.reply("refused")

    assert len(pump._events) <= MOST_EVENTS + 2 and len(pump._replies) <= MOST_REPLIES
    assert LanesChanged() in pump._events
