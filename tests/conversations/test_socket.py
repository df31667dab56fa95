"""The socket of a page, driven through the real ASGI application: who may, what is shown, what is never sent twice."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import OperationalError

from chat.accounts import sockets
from chat.accounts.models import User
from chat.accounts.sockets import close_sockets
from chat.catalogue.models import Endpoint
from chat.conversations import verbs
from chat.conversations.models import Conversation, Lane, Turn
from chat.database import in_database
from chat.runs import broadcast
from chat.runs.models import Run
from playground.asgi import application
from tests.conversations.conftest import Settled
from tests.factories import make_conversation
from tests.fake_provider import FakeProvider

ORIGIN = settings.PUBLIC_URL
HOST = ORIGIN.partition("://")[2]


def session_of(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


class Page:
    """A browser's page on a conversation: acknowledges every frame, as the page's script does."""

    def __init__(self, conversation_id: object, session_key: str = "", origin: str | None = ORIGIN) -> None:
        headers = [(b"host", HOST.encode()), (b"cookie", f"{settings.SESSION_COOKIE_NAME}={session_key}".encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        self.socket = WebsocketCommunicator(application, f"/ws/c/{conversation_id}/", headers)
        self.seen = ""

    async def open(self) -> bool:
        connected, _ = await self.socket.connect(timeout=5)
        return bool(connected)

    async def say(self, **fields: Any) -> None:
        await self.socket.send_to(text_data=json.dumps(fields))

    async def frame(self) -> str:
        text = str(await self.socket.receive_from(timeout=5))
        self.seen += text
        found = re.match(r"<!--f:(\d+)-->", text)
        assert found is not None
        await self.say(action="ack", frame=int(found[1]))
        return text

    async def until(self, part: str) -> str:
        """Read frames until ``part`` was in one; gives all that was seen."""
        while part not in self.seen:
            await self.frame()
        return self.seen

    async def close_code(self) -> int:
        message = await self.socket.receive_output(timeout=5)
        while message["type"] != "websocket.close":
            message = await self.socket.receive_output(timeout=5)
        return int(message["code"])


@pytest.fixture
async def key(alice: User) -> str:
    return await in_database(session_of, alice)


@pytest.fixture
async def page(chat: Conversation, key: str, engine: None, fake_provider: FakeProvider) -> AsyncIterator[Page]:
    await in_database(lambda: Endpoint.objects.update(base_url=fake_provider.base_url))
    page = Page(chat.pk, key)
    assert await page.open()
    yield page
    await page.socket.disconnect()


async def send(page: Page, chat: Conversation, text: str = "Hello", client_id: str = "") -> None:
    lane = await in_database(Lane.objects.filter(conversation=chat).values_list("pk", flat=True).first)
    await page.say(action="send", text=text, lanes=str(lane), client_id=client_id or uuid4().hex)


async def test_an_answer_streams_into_the_page(page: Page, chat: Conversation) -> None:
    await send(page, chat)

    seen = await page.until('data-status="done"')

    assert 'aria-label="You"' in seen
    assert "The sea is calm tonight" in re.sub(r"<[^>]+>", "", seen)


async def test_a_taken_message_is_receipted(page: Page, chat: Conversation) -> None:
    await send(page, chat, client_id="my-id")

    seen = await page.until("data-receipt")

    assert 'data-receipt="my-id"' in seen


async def test_a_message_sent_twice_is_answered_once(page: Page, chat: Conversation, settled: Settled) -> None:
    await send(page, chat, client_id="same")
    await send(page, chat, client_id="same")
    await page.until('data-status="done"')

    runs = await settled()

    assert len(runs) == 1


async def test_a_send_in_the_topmost_chat_marks_it_and_lets_the_list_be(page: Page, chat: Conversation) -> None:
    await in_database(lambda: Conversation.objects.update(title="Top", is_draft=False))

    await send(page, chat)
    await page.until('data-status="done"')
    while not await page.socket.receive_nothing(timeout=0.8):
        await page.frame()

    assert f"#chat-mark-{chat.pk}" in page.seen
    assert 'id="chat-list"' not in page.seen


async def test_a_handler_that_fails_leaves_nothing_behind(
    chat: Conversation, key: str, alice: User, engine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> verbs.Done:
        raise RuntimeError("a bug")

    monkeypatch.setitem(verbs.HANDLERS, "send", fail)
    page = Page(chat.pk, key)
    await page.open()

    await page.say(action="send")
    with pytest.raises(RuntimeError):
        await page.socket.wait(timeout=5)

    assert sockets.open_sockets(alice.pk) == 0
    assert chat.topic not in broadcast._subscribers


async def test_a_database_that_is_away_is_said_and_the_page_stays(
    page: Page, chat: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> verbs.Done:
        raise OperationalError("database is locked")

    monkeypatch.setitem(verbs.HANDLERS, "stop_all", fail)

    await page.say(action="stop_all")
    await page.until("Try again")
    await send(page, chat)

    assert await page.until('data-status="done"')


async def test_an_empty_message_is_refused_beside_the_composer(page: Page, chat: Conversation) -> None:
    await send(page, chat, text="  \n ")

    seen = await page.until("composer-error")

    assert "Write something first." in seen


async def test_a_page_that_says_hello_is_shown_what_it_missed(
    page: Page, chat: Conversation, key: str, fake_provider: FakeProvider
) -> None:
    await in_database(lambda: Lane.objects.update(model_id="fake/gated"))
    await send(page, chat)
    for _ in range(6):
        fake_provider.gate("gated").release()
    await page.until("calm")
    late = Page(chat.pk, key)
    await late.open()

    await late.say(action="hello", stamp="long ago")
    seen = await late.until("calm")

    assert 'id="lanes"' in seen and "The sea is" in re.sub(r"<[^>]+>", "", seen)
    await late.socket.disconnect()


async def test_frames_stop_while_none_is_acknowledged(
    page: Page, chat: Conversation, key: str, fake_provider: FakeProvider
) -> None:
    await in_database(lambda: Lane.objects.update(model_id="fake/slow:20"))
    await send(page, chat)

    frames = 0
    while frames < 40 and not await page.socket.receive_nothing(timeout=0.6):
        await page.socket.receive_from()
        frames += 1

    assert frames == 8


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1:1"])
@pytest.mark.django_db(transaction=True)
async def test_a_foreign_page_is_refused_at_the_handshake(chat: Conversation, key: str, origin: str | None) -> None:
    page = Page(chat.pk, key, origin)

    assert not await page.open()


@pytest.mark.django_db(transaction=True)
async def test_a_strangers_page_is_closed_as_not_found(chat: Conversation, charlie: User) -> None:
    page = Page(chat.pk, await in_database(session_of, charlie))
    await page.open()

    assert await page.close_code() == 4404


@pytest.mark.django_db(transaction=True)
async def test_a_page_without_a_session_is_told_to_sign_in(chat: Conversation) -> None:
    page = Page(chat.pk)
    await page.open()

    assert await page.close_code() == 4401


async def test_a_strangers_rows_cannot_be_reached_through_an_own_page(
    page: Page, chat: Conversation, charlie: User, endpoint: Endpoint
) -> None:
    theirs = await in_database(make_conversation, charlie, "fake/plain", endpoint=endpoint)
    lane = await in_database(Lane.objects.filter(conversation=theirs).first)
    assert lane is not None

    await page.say(action="send", text="Hi", lanes=[str(lane.pk)], client_id="x")
    await page.say(action="remove_lane", lane=lane.pk)
    seen = await page.until("not there any more")

    assert "composer-error" in seen
    assert not await in_database(Turn.objects.exists)


async def test_ending_the_session_closes_the_page(page: Page, alice: User) -> None:
    await in_database(close_sockets, alice.pk)

    assert await page.close_code() == 4401


async def test_rights_are_checked_on_every_frame(page: Page, chat: Conversation, alice: User) -> None:
    await in_database(lambda: User.objects.filter(pk=alice.pk).update(is_active=False))

    await send(page, chat)

    assert await page.close_code() == 4401
    assert not await in_database(Run.objects.exists)


@pytest.mark.parametrize("text", ["[]", "{", "null", '{"action": 5}', '{"action": "no such thing"}', "[" * 100_000])
async def test_what_no_page_of_ours_sends_is_harmless(page: Page, chat: Conversation, text: str) -> None:
    await page.socket.send_to(text_data=text)

    await send(page, chat)

    assert await page.until('data-status="done"')
