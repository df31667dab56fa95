"""The pages behind one-time links: opening changes nothing, the button does, and nothing leaks."""

from datetime import timedelta

import pytest
from allauth.account.signals import user_logged_in
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from chat.accounts.actions import create_invitation, create_signin_link, disable_user
from chat.accounts.models import Invitation, SignInLink, User
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
NEW_ACCOUNT = {"username": "bob", "password1": PASSWORD, "password2": PASSWORD}


def link_for(user: User, minutes: int = 15) -> str:
    return reverse("accounts:signin_link", args=[create_signin_link(user, timedelta(minutes=minutes))[1]])


def invitation() -> str:
    return reverse("accounts:join", args=[create_invitation(None)[1]])


def signed_in(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def test_opening_a_link_shows_one_button_and_spends_nothing(client: Client) -> None:
    address = link_for(make_user())

    page = client.get(address)

    assert b"Sign in as alice" in page.content
    assert signed_in(client) is None
    assert SignInLink.objects.get().used_at is None


def test_pressing_the_button_signs_in_through_allauth(client: Client) -> None:
    alice = make_user()
    seen: list[User] = []
    user_logged_in.connect(receiver := lambda user, **kwargs: seen.append(user))

    answer = client.post(link_for(alice))

    user_logged_in.disconnect(receiver)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert signed_in(client) == str(alice.pk)
    assert seen == [alice]


def test_a_used_link_says_so(client: Client) -> None:
    address = link_for(make_user())
    client.post(address)

    for answer in (Client().get(address), Client().post(address)):
        assert answer.status_code == 410
        assert b"This link has been used." in answer.content


def test_an_expired_link_says_so(client: Client) -> None:
    answer = client.post(link_for(make_user(), minutes=-1))

    assert answer.status_code == 410
    assert b"This link has expired." in answer.content
    assert signed_in(client) is None


def test_an_invented_link_says_so(client: Client) -> None:
    answer = client.get(reverse("accounts:signin_link", args=["invented"]))

    assert answer.status_code == 404
    assert b"not known here" in answer.content


def test_a_disabled_account_gets_no_further(client: Client) -> None:
    alice = make_user()
    address = link_for(alice)
    disable_user(alice)

    answer = client.post(address)

    assert answer.status_code == 403
    assert signed_in(client) is None


def test_a_link_knows_no_other_methods(client: Client) -> None:
    assert client.put(link_for(make_user())).status_code == 405


def test_the_button_needs_the_token_of_the_page() -> None:
    client = Client(enforce_csrf_checks=True)

    assert client.post(link_for(make_user())).status_code == 403


def test_a_link_of_another_person_signs_the_first_one_out(client: Client) -> None:
    alice, bob = make_user(), make_user("bob")
    client.force_login(alice)
    before = client.session.session_key

    client.post(link_for(bob))

    assert signed_in(client) == str(bob.pk)
    assert client.session.session_key != before


@pytest.mark.parametrize("path", ["link", "invitation", "refused"])
def test_the_address_goes_into_no_referer_and_no_cache(client: Client, path: str) -> None:
    addresses = {"link": link_for(make_user()), "invitation": invitation(), "refused": "/in/invented/"}

    answer = client.get(addresses[path])

    assert answer["Referrer-Policy"] == "strict-origin"
    assert b'name="referrer"' not in answer.content
    assert "no-store" in answer["Cache-Control"]


def test_guessing_is_throttled(client: Client) -> None:
    answers = [client.post("/in/invented/") for _ in range(40)]

    assert answers[0].status_code == 404
    assert answers[-1].status_code == 429
    assert b"That was a bit fast." in answers[-1].content


def test_an_invited_person_makes_an_account_and_is_in(client: Client) -> None:
    answer = client.post(invitation(), NEW_ACCOUNT)

    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert signed_in(client) == str(User.objects.get(username="bob").pk)
    assert Invitation.objects.get().used_by == User.objects.get()


def test_opening_an_invitation_shows_the_form_and_spends_nothing(client: Client) -> None:
    answer = client.get(invitation())

    assert b"You are invited." in answer.content
    assert Invitation.objects.get().used_at is None


def test_a_wrong_form_keeps_the_invitation(client: Client) -> None:
    address = invitation()

    answer = client.post(address, NEW_ACCOUNT | {"password2": "different"})

    assert answer.status_code == 200
    assert not User.objects.exists()
    assert client.post(address, NEW_ACCOUNT).status_code == 302


def test_an_invitation_lets_nobody_take_a_name_or_an_address(client: Client) -> None:
    make_user("bob", email="bob@example.com")
    address = invitation()

    same_name = client.post(address, NEW_ACCOUNT)
    same_mail = client.post(address, NEW_ACCOUNT | {"username": "bobby", "email": "bob@example.com"})

    assert b"already exists" in same_name.content
    assert b"already registered" in same_mail.content
    assert User.objects.count() == 1


def test_a_spent_invitation_makes_no_second_account(client: Client) -> None:
    address = invitation()
    client.post(address, NEW_ACCOUNT)

    answer = Client().post(address, NEW_ACCOUNT | {"username": "charlie"})

    assert answer.status_code == 410
    assert User.objects.count() == 1


def test_nobody_signs_up_without_an_invitation(client: Client) -> None:
    shown = client.get(reverse("account_signup"))
    posted = client.post(reverse("account_signup"), NEW_ACCOUNT)

    assert b"By invitation only" in shown.content
    assert b"By invitation only" in posted.content
    assert not User.objects.exists()


def test_open_sign_up_needs_no_invitation(client: Client, settings: LazySettings) -> None:
    settings.SIGNUP = "open"

    client.post(reverse("account_signup"), NEW_ACCOUNT)

    assert User.objects.get().username == "bob"
