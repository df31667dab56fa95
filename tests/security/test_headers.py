"""What every answer carries, whatever it is an answer to: pages, fragments, redirects and all kinds of errors."""

from collections.abc import Iterator
from http.cookies import Morsel
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from chat.accounts.models import User
from chat.conversations import views
from tests.factories import PASSWORD
from tests.security.conftest import SAID, Belongings
from tests.security.routes import ROUTES, Route

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# A page whose own address is a secret tells no more than the site it is on.
REFERRER_POLICIES = {"same-origin", "strict-origin"}


def is_armoured(answer: Any) -> bool:
    policy = dict(part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";"))
    strict = policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    closed = all(
        policy[name] == "'self'" for name in ("script-src", "style-src", "connect-src", "form-action", "font-src")
    )
    named = {name: answer[name] for name in ALWAYS} == ALWAYS
    return strict and closed and named and answer["Referrer-Policy"] in REFERRER_POLICIES


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.text))
def test_every_answer_is_armoured(route: Route, hers: Belongings, ada: User) -> None:
    browsers = [Client(), Client(), Client()]
    browsers[1].force_login(hers.owner)
    browsers[2].force_login(ada)

    answers = [
        ask(route.path(hers.argument), headers=headers)
        for browser in browsers
        for ask in (browser.get, browser.post, browser.put)
        for headers in ({}, HTMX)
    ]

    assert all(is_armoured(answer) for answer in answers)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A browser on a site whose front page fails with somebody's words in hand."""

    def fail(*args: Any, **kwargs: Any) -> HttpResponse:
        raise RuntimeError(SAID)

    monkeypatch.setattr(views, "_page", fail)
    yield Client(raise_request_exception=False)


def test_every_kind_of_error_is_armoured(hers: Belongings, broken: Client) -> None:
    broken.force_login(hers.owner)
    checked = Client(enforce_csrf_checks=True)
    checked.force_login(hers.owner)

    answers = {
        400: broken.get("/", headers={"host": "evil.example"}),
        403: checked.post("/reset/"),
        404: broken.get("/no/such/page"),
        405: broken.put("/search/"),
        500: broken.get("/"),
    }

    assert {status: answer.status_code for status, answer in answers.items()} == {status: status for status in answers}
    assert all(is_armoured(answer) for answer in answers.values())
    assert not any(SAID in answer.content.decode() for answer in answers.values())


def test_too_large_a_form_is_refused_in_armour(hers: Belongings, client: Client) -> None:
    client.force_login(hers.owner)

    answer = client.post("/settings/", {"default_system_prompt": "x" * 3_000_000})

    assert answer.status_code in (400, 413) and is_armoured(answer)


def cookies_of(client: Client) -> dict[str, "Morsel[str]"]:
    return dict(client.cookies.items())


def test_cookies_are_for_this_site_and_no_script(hers: Belongings, client: Client) -> None:
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": hers.owner.username, "password": PASSWORD})
    client.post(f"/c/{hers.chat.pk}/delete/")

    found = cookies_of(client)

    assert {"playground_session", "playground_csrf", "messages"} <= set(found)
    assert all(cookie["httponly"] and cookie["samesite"] == "Lax" for cookie in found.values())


def test_pages_of_people_are_kept_in_no_cache_of_others(hers: Belongings, client: Client) -> None:
    client.force_login(hers.owner)

    answers = [client.get(path) for path in ("/", f"/c/{hers.chat.pk}/", "/keys/", "/usage/", "/settings/")]

    assert all("Cookie" in answer["Vary"] for answer in answers)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost@evil.example", "[::1"])
def test_another_hosts_name_is_not_answered(host: str, client: Client) -> None:
    answer = client.get("/accounts/login/", headers={"host": host})

    assert answer.status_code == 400
    assert host not in answer.content.decode()
