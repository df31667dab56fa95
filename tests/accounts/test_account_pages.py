"""allauth's pages in our clothes: each renders for whom it is for, without inline script or style."""

import re

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from playground import settings as real_settings
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
STRANGERS = ("account_login", "account_signup", "account_reset_password", "account_inactive")
PERSONS = ("account_logout", "account_change_password", "account_reauthenticate", "account_email")
INLINE = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=")


@pytest.mark.parametrize("name", STRANGERS)
def test_pages_for_strangers_are_ours(client: Client, name: str) -> None:
    page = client.get(reverse(name))

    assert page.status_code == 200
    assert b'class="entrance-card"' in page.content
    assert not INLINE.search(page.content)


@pytest.mark.parametrize("name", PERSONS)
def test_pages_for_persons_are_ours(client: Client, name: str) -> None:
    client.force_login(make_user())

    page = client.get(reverse(name))

    assert page.status_code == 200
    assert b"main.css" in page.content
    assert not INLINE.search(page.content)


def test_a_password_signs_in(client: Client) -> None:
    alice = make_user()

    answer = client.post(reverse("account_login"), {"login": "alice", "password": PASSWORD})

    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_a_wrong_password_comes_back_without_the_password(client: Client) -> None:
    make_user()

    answer = client.post(reverse("account_login"), {"login": "alice", "password": "canary-password"})

    assert b"not correct" in answer.content
    assert b"canary-password" not in answer.content


def test_guessing_passwords_is_throttled(client: Client) -> None:
    make_user()

    for _ in range(6):
        answer = client.post(reverse("account_login"), {"login": "alice", "password": "wrong"})

    assert b"Too many failed login attempts" in answer.content


def test_passwords_are_stored_with_argon2() -> None:
    with override_settings(PASSWORD_HASHERS=real_settings.PASSWORD_HASHERS):
        alice = make_user()

    assert alice.password.startswith("argon2$argon2id$")


def test_signing_out_needs_a_post(client: Client) -> None:
    client.force_login(make_user())

    client.get(reverse("account_logout"))
    still_in = "_auth_user_id" in client.session
    client.post(reverse("account_logout"))

    assert still_in
    assert "_auth_user_id" not in client.session


def test_a_changed_password_ends_other_sessions_and_keeps_this_one(client: Client) -> None:
    alice, elsewhere = make_user(), Client()
    client.force_login(alice)
    elsewhere.force_login(alice)

    client.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "a brand new phrase", "password2": "a brand new phrase"},
    )

    assert client.get(reverse("account_change_password")).status_code == 200
    assert elsewhere.get(reverse("account_change_password")).status_code == 302


def test_someone_without_a_password_sets_a_first_one(client: Client) -> None:
    alice = make_user()
    alice.set_unusable_password()
    alice.save()
    client.force_login(alice)
    page = client.get(reverse("account_set_password"))

    client.post(reverse("account_set_password"), {"password1": "a first phrase", "password2": "a first phrase"})

    alice.refresh_from_db()
    assert b"Set a password" in page.content
    assert alice.check_password("a first phrase")
