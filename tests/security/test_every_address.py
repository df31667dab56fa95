"""Every address of the site, asked by everybody who should not: nothing is shown, and nothing changes."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.conf import settings
from django.shortcuts import resolve_url
from django.test import Client

from chat.accounts.models import User
from tests.security.conftest import SAID, Belongings
from tests.security.routes import ROUTES, Route

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
# All that a stranger at the door is shown without being sent to sign in; 404 where a secret address is wrong.
OPEN = {
    "healthz": 200,
    "readyz": 503,
    "metrics": 404,
    "in/<str:token>/": 404,
    "join/<str:token>/": 404,
    "accounts/login/": 200,
    "accounts/inactive/": 200,
    "accounts/signup/": 200,
    "accounts/oidc/huggingface/login/": 404,
    "accounts/oidc/huggingface/login/callback/": 404,
    "accounts/3rdparty/login/cancelled/": 200,
    "accounts/3rdparty/login/error/": 401,
    # Earlier addresses of the same pages.
    "accounts/social/login/cancelled/": 301,
    "accounts/social/login/error/": 301,
    "accounts/social/signup/": 301,
    "accounts/social/connections/": 301,
    "accounts/confirm-email/": 200,
    "accounts/confirm-email/x/": 200,
    "accounts/password/reset/": 200,
    "accounts/password/reset/done/": 200,
    "accounts/password/reset/key/1-x/": 200,
    "accounts/password/reset/key/done/": 200,
}
OWNED = [route for route in ROUTES if route.owned]
OURS = [route for route in ROUTES if route.is_ours]
ADMIN = [route for route in ROUTES if route.text.startswith("admin/")]
# A form that asks for everything at once, so that no view stops at what is missing.
FIELDS = {"text": "x", "client_id": "x", "title": "x", "choice": "fake@fake/plain", "q": "fake@fake/plain"}


def text_of(route: Route) -> str:
    return route.text


def rows() -> dict[str, list[Any]]:
    """All that is stored, but for the marks that looking at a page leaves."""
    stored = {
        model: list(model._default_manager.order_by("pk").values())
        for model in apps.get_app_config("chat").get_models()
    }
    for row in (row for found in stored.values() for row in found):
        row.pop("seen_at", None)
        row.pop("last_login", None)
    return {model.__name__: found for model, found in stored.items()}


def ask(browser: Client, path: str, fields: dict[str, Any] = FIELDS) -> list[Any]:
    """The answers to all methods, with htmx and without."""
    answers = []
    for headers in ({}, HTMX):
        answers.append(browser.get(path, headers=headers))
        answers.append(browser.post(path, fields, headers=headers))
        answers += [browser.generic(method, path, headers=headers) for method in ("PUT", "PATCH", "DELETE", "HEAD")]
    return answers


@pytest.mark.parametrize("route", ROUTES, ids=text_of)
def test_nobody_sees_anything_without_signing_in(route: Route, hers: Belongings, client: Client) -> None:
    before = rows()

    answer = client.get(route.path(hers.argument))
    others = ask(client, route.path(hers.argument))

    if route.text in OPEN:
        assert answer.status_code == OPEN[route.text]
    else:
        where = {resolve_url(settings.LOGIN_URL), "/admin/login/", "/admin/"}
        assert (answer.status_code, urlsplit(answer["Location"]).path in where) == (302, True)
    assert not any(SAID in other.content.decode() for other in others)
    assert rows() == before


@pytest.mark.parametrize("route", OWNED, ids=text_of)
@pytest.mark.parametrize("who", ["charlie", "ada"])
def test_others_rows_are_not_found(route: Route, who: str, hers: Belongings, charlie: User, ada: User) -> None:
    browser = Client()
    browser.force_login(User.objects.get(username=who))
    before = rows()

    answers = ask(browser, route.path(hers.argument))

    assert {answer.status_code for answer in answers} <= {404, 405}
    assert 404 in {answer.status_code for answer in answers}
    assert not any(SAID in answer.content.decode() for answer in answers)
    assert rows() == before


@pytest.mark.parametrize(
    ("route", "foreign"),
    [(route, name) for route in OWNED if len(route.owned) > 1 for name in route.owned],
    ids=lambda value: str(getattr(value, "text", value)),
)
def test_one_foreign_id_among_own_ones_is_enough(route: Route, foreign: str, hers: Belongings, his: Belongings) -> None:
    browser = Client()
    browser.force_login(his.owner)
    before = rows()

    answers = ask(browser, route.path(lambda name: (hers if name == foreign else his).argument(name)))

    assert {answer.status_code for answer in answers} <= {404, 405}
    assert rows() == before


@pytest.mark.parametrize("route", [route for route in OWNED if "/c/" in route.path(lambda _: "x")], ids=text_of)
@pytest.mark.parametrize("name", ["lane", "lanes", "other", "message", "run", "row", "key"])
def test_foreign_ids_in_a_form_reach_nothing(
    route: Route, name: str, hers: Belongings, his: Belongings, charlie: User
) -> None:
    browser = Client()
    browser.force_login(charlie)
    value = f"personal:{hers.key.pk}" if name == "key" else hers.argument("lane" if name in ("lanes", "row") else name)
    before = {table: [row for row in found if SAID in str(row)] for table, found in rows().items()}

    ask(browser, route.path(his.argument), FIELDS | {name: str(value)})

    assert {table: [row for row in found if SAID in str(row)] for table, found in rows().items()} == before


@pytest.mark.parametrize("route", ADMIN, ids=text_of)
def test_administrators_read_nothing_that_people_wrote(route: Route, hers: Belongings, ada: User) -> None:
    browser = Client()
    browser.force_login(ada)

    pks = {hers.owner.pk, hers.key.endpoint_id, hers.lane.endpoint_id}
    pages = [browser.get(route.path().replace("/1/", f"/{pk}/"), follow=True) for pk in pks]
    pages.append(browser.post(route.path(), {"action": "delete_selected", "_selected_action": list(pks)}))

    assert not any(SAID in page.getvalue().decode() for page in pages)


@pytest.mark.parametrize("route", ROUTES, ids=text_of)
def test_a_post_without_the_token_of_the_page_is_refused(route: Route, hers: Belongings) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(hers.owner)
    before = rows()

    answers = [browser.post(route.path(hers.argument), FIELDS, headers=headers) for headers in ({}, HTMX)]

    assert {answer.status_code for answer in answers} == {403}
    assert rows() == before


@pytest.mark.parametrize("route", [route for route in OURS if route.text != ""], ids=text_of)
def test_looking_changes_nothing(route: Route, hers: Belongings) -> None:
    browser = Client()
    browser.force_login(hers.owner)
    before = rows()

    for headers in ({}, HTMX):
        browser.get(route.path(hers.argument), headers=headers)

    assert rows() == before


@pytest.mark.parametrize("route", OURS, ids=text_of)
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_other_methods_are_not_allowed(route: Route, method: str, hers: Belongings) -> None:
    browser = Client()
    browser.force_login(hers.owner)

    answer = browser.generic(method, route.path(hers.argument))

    assert answer.status_code == 405


def too_large(name: str) -> str:
    return "00000000-0000-0000-0000-000000000000" if name == "conversation_id" else str(2**63)


def too_long(name: str) -> str:
    return "00000000-0000-0000-0000-000000000000" if name == "conversation_id" else "9" * 5000


@pytest.mark.parametrize("route", OWNED, ids=text_of)
@pytest.mark.parametrize("argument", [too_large, too_long])
def test_ids_beyond_any_database_are_not_found(
    route: Route, argument: Callable[[str], str], client: Client, charlie: User
) -> None:
    client.force_login(charlie)

    answers = ask(client, route.path(argument))

    assert {answer.status_code for answer in answers} <= {404, 405}
