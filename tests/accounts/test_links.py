"""One-time links work once, in time, and for accounts that are switched on."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.signals import post_init
from django.utils import timezone

from chat.accounts.actions import (
    accept_invitation,
    create_invitation,
    create_signin_link,
    disable_user,
    find_signin_link,
    spend_signin_link,
)
from chat.accounts.errors import AccountDisabled, LinkExpired, LinkUnknown, LinkUsed
from chat.accounts.models import Invitation, SignInLink, User
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_a_link_signs_its_person_in() -> None:
    alice = make_user()
    _, token = create_signin_link(alice)

    assert spend_signin_link(token) == alice


def test_a_link_works_only_once() -> None:
    _, token = create_signin_link(make_user())
    spend_signin_link(token)

    with pytest.raises(LinkUsed):
        spend_signin_link(token)


def test_looking_at_a_link_does_not_spend_it() -> None:
    _, token = create_signin_link(make_user())

    find_signin_link(token)

    assert spend_signin_link(token).username == "alice"


def test_an_expired_link_is_refused() -> None:
    _, token = create_signin_link(make_user(), timedelta(seconds=-1))

    with pytest.raises(LinkExpired):
        spend_signin_link(token)


def test_a_link_that_expires_between_look_and_press_is_refused() -> None:
    link, token = create_signin_link(make_user())
    find_signin_link(token)
    SignInLink.objects.filter(pk=link.pk).update(expires_at=timezone.now())

    with pytest.raises(LinkExpired):
        spend_signin_link(token)


def test_a_link_of_a_disabled_account_is_refused_and_not_spent() -> None:
    alice = make_user()
    link, token = create_signin_link(alice)
    disable_user(alice)

    with pytest.raises(AccountDisabled):
        spend_signin_link(token)

    link.refresh_from_db()
    assert link.used_at is None


@pytest.mark.parametrize("token", ["", "x", "\x00", "ä", "a" * 10_000])
def test_invented_tokens_are_unknown(token: str) -> None:
    with pytest.raises(LinkUnknown):
        spend_signin_link(token)


def test_tokens_are_long_different_and_not_stored() -> None:
    alice = make_user()
    tokens = [create_signin_link(alice)[1] for _ in range(20)]

    stored = str(list(SignInLink.objects.values()))

    assert len(set(tokens)) == 20
    assert all(len(token) >= 43 and token not in stored for token in tokens)


def test_a_sign_in_link_is_no_invitation() -> None:
    _, token = create_signin_link(make_user())

    with pytest.raises(LinkUnknown):
        accept_invitation(token, make_user)


def test_an_invitation_makes_one_account() -> None:
    invitation, token = create_invitation(None, "Bob")

    bob = accept_invitation(token, lambda: make_user("bob"))

    invitation.refresh_from_db()
    assert invitation.used_by == bob
    with pytest.raises(LinkUsed):
        accept_invitation(token, lambda: make_user("charlie"))
    assert not User.objects.filter(username="charlie").exists()


def test_an_invitation_is_not_spent_when_the_account_cannot_be_made() -> None:
    _, token = create_invitation(None)

    def fails() -> User:
        raise RuntimeError("no account")

    with pytest.raises(RuntimeError):
        accept_invitation(token, fails)

    assert Invitation.objects.get().used_at is None


def test_a_request_that_comes_between_look_and_press_wins() -> None:
    _, token = create_signin_link(make_user())

    def another_request(sender: type, **kwargs: Any) -> None:
        post_init.disconnect(another_request, SignInLink)
        spend_signin_link(token)

    post_init.connect(another_request, SignInLink)

    with pytest.raises(LinkUsed):
        spend_signin_link(token)


@pytest.mark.django_db(transaction=True)
def test_one_of_two_requests_at_the_same_moment_gets_in() -> None:
    _, token = create_signin_link(make_user())

    outcomes = at_the_same_moment(lambda: spend_signin_link(token).username)

    assert sorted(outcomes) == ["LinkUsed", "alice"]


@pytest.mark.django_db(transaction=True)
def test_an_invitation_lets_one_of_two_in_at_the_same_moment() -> None:
    _, token = create_invitation(None)
    names = iter(["bob", "charlie"])

    outcomes = at_the_same_moment(lambda: str(bool(accept_invitation(token, lambda: make_user(next(names))))))

    assert sorted(outcomes) == ["LinkUsed", "True"]
    assert User.objects.count() == 1


def at_the_same_moment(attempt: Callable[[], str]) -> list[str]:
    """Run ``attempt`` in two threads that start together; return what each gave or the name of what it raised."""
    start, outcomes = threading.Barrier(2), []

    def run() -> None:
        start.wait()
        try:
            outcomes.append(attempt())
        except LinkUsed as refusal:
            outcomes.append(type(refusal).__name__)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    return outcomes
