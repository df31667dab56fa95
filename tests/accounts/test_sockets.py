"""Sockets end with the right to them: at sign-out, when an account is switched off, when a password changes."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from importlib import import_module

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import Client
from django.urls import reverse

from chat.accounts.actions import create_signin_link, disable_user, end_sessions
from chat.accounts.models import User
from chat.accounts.sockets import SESSION_ENDED, close_sockets, open_sockets, register, session_is_valid, still_allowed
from tests.factories import PASSWORD, make_user

NEW_PASSWORD = {"oldpassword": PASSWORD, "password1": "a brand new phrase", "password2": "a brand new phrase"}


class Loop:
    """An event loop in a thread of its own, as the server has one, with sockets that note how they were closed."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.codes: dict[str, list[int]] = {}
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def open(self, user: User, session_key: str) -> None:
        codes = self.codes.setdefault(session_key, [])

        async def connect() -> None:
            register(user.pk, session_key, codes.append)

        asyncio.run_coroutine_threadsafe(connect(), self.loop).result(timeout=5)

    def closed(self) -> dict[str, list[int]]:
        """What each socket was closed with, once the loop has done all it was asked before."""
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(timeout=5)
        return self.codes

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=5)
        self.loop.close()


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.stop()


def session_of(client: Client) -> str:
    return client.session.session_key or ""


@pytest.mark.django_db(transaction=True)
def test_signing_out_closes_the_sockets_of_that_session_only(loop: Loop) -> None:
    alice, here, elsewhere = make_user(), Client(), Client()
    for client in (here, elsewhere):
        client.force_login(alice)
        loop.open(alice, session_of(client))
    key, other = session_of(here), session_of(elsewhere)

    here.post(reverse("account_logout"))

    assert loop.closed() == {key: [SESSION_ENDED], other: []}


@pytest.mark.django_db(transaction=True)
def test_switching_an_account_off_closes_all_its_sockets_and_nobody_elses(loop: Loop) -> None:
    alice, bob = make_user(), make_user("bob")
    loop.open(alice, "one")
    loop.open(alice, "two")
    loop.open(bob, "three")

    disable_user(alice)

    assert loop.closed() == {"one": [SESSION_ENDED], "two": [SESSION_ENDED], "three": []}
    assert open_sockets(bob.pk) == 1
    close_sockets(bob.pk)


@pytest.mark.django_db(transaction=True)
def test_changing_a_password_closes_all_sockets(loop: Loop) -> None:
    alice, client = make_user(), Client()
    client.force_login(alice)
    loop.open(alice, "elsewhere")

    client.post(reverse("account_change_password"), NEW_PASSWORD)

    assert loop.closed() == {"elsewhere": [SESSION_ENDED]}


@pytest.mark.django_db(transaction=True)
def test_a_link_of_another_person_closes_the_sockets_of_the_first(loop: Loop) -> None:
    alice, client = make_user(), Client()
    client.force_login(alice)
    key = session_of(client)
    loop.open(alice, key)

    client.post(reverse("accounts:signin_link", args=[create_signin_link(make_user("bob"))[1]]))

    assert loop.closed() == {key: [SESSION_ENDED]}


@pytest.mark.django_db(transaction=True)
def test_deleting_an_account_closes_its_sockets(loop: Loop) -> None:
    alice = make_user()
    loop.open(alice, "one")

    alice.delete()

    assert loop.closed() == {"one": [SESSION_ENDED]}


@pytest.mark.django_db(transaction=True)
def test_changing_the_name_closes_nothing(loop: Loop) -> None:
    alice = make_user()
    loop.open(alice, "one")

    alice.first_name = "Alice"
    alice.save()

    assert loop.closed() == {"one": []}
    close_sockets(alice.pk)


async def test_a_released_socket_is_not_closed_and_not_kept() -> None:
    codes: list[int] = []

    with register(7, "one", codes.append):
        assert open_sockets(7) == 1

    assert open_sockets(7) == 0
    assert close_sockets(7) == 0
    assert codes == []


async def test_a_socket_is_closed_once() -> None:
    codes: list[int] = []
    socket = register(7, "one", codes.append)

    close_sockets(7)
    close_sockets(7)
    socket.release()
    await asyncio.sleep(0)

    assert codes == [SESSION_ENDED]


def test_sockets_of_a_loop_that_has_ended_are_forgotten() -> None:
    loop = Loop()
    loop.open(User(pk=7), "one")
    loop.stop()

    assert close_sockets(7) == 1
    assert open_sockets(7) == 0


@pytest.fixture
def session(client: Client, db: None) -> Iterator[tuple[User, str]]:
    alice = make_user()
    client.force_login(alice)
    yield alice, session_of(client)


def test_a_live_session_is_valid(session: tuple[User, str]) -> None:
    assert session_is_valid(session[0].pk, session[1])


def test_a_session_of_somebody_else_is_not_valid(session: tuple[User, str]) -> None:
    bob = make_user("bob")
    User.objects.update(password=session[0].password)

    assert not session_is_valid(bob.pk, session[1])


@pytest.mark.parametrize("key", ["", "invented", "x" * 500])
def test_an_invented_session_is_not_valid(session: tuple[User, str], key: str) -> None:
    assert not session_is_valid(session[0].pk, key)


def test_a_deleted_session_is_not_valid(session: tuple[User, str]) -> None:
    import_module(settings.SESSION_ENGINE).SessionStore(session[1]).delete()

    assert not session_is_valid(session[0].pk, session[1])


def test_an_expired_session_is_not_valid(session: tuple[User, str], client: Client) -> None:
    store = client.session
    store.set_expiry(-1)
    store.save()

    assert not session_is_valid(session[0].pk, session[1])


def test_an_account_disabled_behind_our_back_has_no_valid_session(session: tuple[User, str]) -> None:
    User.objects.update(is_active=False)

    assert not session_is_valid(session[0].pk, session[1])


def test_sessions_from_before_stay_ended_when_an_account_is_switched_on_again(session: tuple[User, str]) -> None:
    alice = session[0]
    disable_user(alice)
    User.objects.update(is_active=True)

    assert not session_is_valid(alice.pk, session[1])


def test_a_password_changed_behind_our_back_ends_sessions(session: tuple[User, str]) -> None:
    User.objects.update(password="argon2$another")

    assert not session_is_valid(session[0].pk, session[1])


def test_ended_sessions_no_longer_open_pages(session: tuple[User, str], client: Client) -> None:
    before = client.get(reverse("account_change_password")).status_code

    end_sessions(session[0])

    assert before == 200
    assert client.get(reverse("account_change_password")).status_code == 302


@pytest.fixture
async def alice() -> AsyncIterator[User]:
    yield await sync_to_async(make_user)()


@pytest.mark.django_db(transaction=True)
async def test_the_beat_asks_without_blocking_the_loop(alice: User) -> None:
    client = Client()
    await sync_to_async(client.force_login)(alice)
    key = await sync_to_async(session_of)(client)

    assert await still_allowed(alice.pk, key)
    assert not await still_allowed(alice.pk, "invented")
