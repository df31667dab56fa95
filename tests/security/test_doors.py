"""Coming in and going out: where a sign-in leads, which session one has after it, and what ends with a session."""

from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

from chat.accounts.actions import create_invitation, create_signin_link
from chat.accounts.models import User
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    r"/\evil.example",
    r"\\evil.example",
    "/\t/evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "http://testserver@evil.example/",
    "http://testserver.evil.example/",
    "%2f%2fevil.example",
]


def leads_elsewhere(location: str) -> bool:
    """Whether a browser would leave this site, reading an address as browsers do (WHATWG URL 4.4)."""
    read = location.strip().replace("\t", "").replace("\\", "/")
    parts = urlsplit(read)
    return bool(parts.scheme or parts.netloc) and parts.netloc != "testserver" or read.startswith("//")


@pytest.mark.parametrize("where", ELSEWHERE)
def test_signing_in_leads_nowhere_else(where: str, alice: User, client: Client) -> None:
    fields = {"login": "alice", "password": PASSWORD, "next": where}

    answer = client.post("/accounts/login/", fields, query_params={"next": where})

    assert "_auth_user_id" in client.session
    assert answer.status_code == 302 and not leads_elsewhere(answer["Location"])


@pytest.mark.parametrize("where", ELSEWHERE)
def test_no_other_door_leads_elsewhere_either(where: str, alice: User) -> None:
    _, link = create_signin_link(alice)
    answers = [Client().post(f"/in/{link}/", {"next": where}, query_params={"next": where})]
    signed_in = Client()
    signed_in.force_login(alice)
    for path in ("/accounts/login/", "/accounts/reauthenticate/", "/settings/theme/", "/accounts/logout/"):
        fields = {"next": where, "password": PASSWORD, "theme": "dark"}
        answers.append(signed_in.post(path, fields, query_params={"next": where}, headers={"referer": where}))

    assert {answer.status_code for answer in answers} == {302}
    assert not any(leads_elsewhere(answer["Location"]) for answer in answers)


@pytest.mark.parametrize("door", ["password", "link", "invitation"])
def test_a_session_from_before_signing_in_is_worth_nothing_after(door: str, alice: User, client: Client) -> None:
    """Whoever planted a session or a form's token in this browser must not share what comes after."""
    client.get("/accounts/login/")
    client.cookies[settings.SESSION_COOKIE_NAME] = planted = "p" * 32
    token = client.cookies[settings.CSRF_COOKIE_NAME].value

    if door == "password":
        client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    elif door == "link":
        client.post(f"/in/{create_signin_link(alice)[1]}/")
    else:
        fields = {"username": "dora", "password1": "a good long pass phrase", "password2": "a good long pass phrase"}
        client.post(f"/join/{create_invitation(alice)[1]}/", fields)
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = planted

    assert client.get("/settings/").status_code == 200
    assert thief.get("/settings/").status_code == 302
    assert client.cookies[settings.CSRF_COOKIE_NAME].value != token


def test_a_session_that_was_left_is_worth_nothing(alice: User, client: Client) -> None:
    client.force_login(alice)
    kept = client.cookies[settings.SESSION_COOKIE_NAME].value

    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = kept

    assert thief.get("/settings/").status_code == 302


def test_links_lead_to_this_site_whatever_a_request_says_of_itself(alice: User, client: Client) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    client.force_login(alice)
    forged = {"host": "localhost:1", "x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
    fields = {"label": "For Dora", "places": "1", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}

    page = client.post("/admin/chat/invitation/add/", fields, headers=forged, follow=True).content.decode()

    assert f"{settings.PUBLIC_URL}/join/" in page and "evil.example" not in page


def test_one_person_cannot_use_up_the_tries_of_all(alice: User, charlie: User) -> None:
    """Failed tries for one name do not lock another out who comes from elsewhere."""
    thief, charlies = Client(REMOTE_ADDR="203.0.113.1"), Client(REMOTE_ADDR="203.0.113.2")
    for _ in range(12):
        thief.post("/accounts/login/", {"login": "alice", "password": "wrong"})

    charlies.post("/accounts/login/", {"login": "charlie", "password": PASSWORD})

    assert "_auth_user_id" in charlies.session


def test_an_address_that_a_client_made_up_does_not_reset_its_tries(alice: User) -> None:
    browser = Client()

    answers = [
        browser.post(
            "/accounts/login/",
            {"login": f"nobody{number}", "password": "wrong"},
            headers={"x-forwarded-for": f"203.0.113.{number}"},
        )
        for number in range(40)
    ]

    assert "Too many" in answers[-1].content.decode() or answers[-1].status_code == 429
