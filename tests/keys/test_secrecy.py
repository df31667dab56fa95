"""A canary goes in by every door, and comes out of none: pages, logs, error reports, the database, reprs."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.views.debug import ExceptionReporter, technical_500_response

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.forms import KeyForm
from chat.keys.models import PersonalKey
from chat.keys.shared_form import SharedKeyForm
from chat.keys.vault import open_credential
from chat.keys.views import add
from tests.factories import make_endpoint, make_personal_key, make_shared_key
from tests.keys.hub import Hub, fine_grained, whoami

SECRET = "hf_canaryCANARYcanaryCANARY9876"
HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.django_db(transaction=True)
Door = Callable[[Client, Endpoint], Any]


def add_page(browser: Client, endpoint: Endpoint) -> Any:
    return browser.post(reverse("keys:add"), {"secret": SECRET, "endpoint": endpoint.pk})


def add_htmx(browser: Client, endpoint: Endpoint) -> Any:
    return browser.post(reverse("keys:add"), {"secret": SECRET, "endpoint": endpoint.pk}, headers=HTMX)


def wrong_label(browser: Client, endpoint: Endpoint) -> Any:
    return browser.post(reverse("keys:add"), {"secret": SECRET, "label": SECRET, "endpoint": endpoint.pk})


def wrong_endpoint(browser: Client, endpoint: Endpoint) -> Any:
    return browser.post(reverse("keys:add"), {"secret": SECRET, "endpoint": SECRET})


def paste(browser: Client, endpoint: Endpoint) -> Any:
    return browser.post(reverse("keys:paste"), {"secret": SECRET, "endpoint": endpoint.pk}, headers=HTMX)


def admin_add(browser: Client, endpoint: Endpoint) -> Any:
    fields = {"label": "Team", "secret": SECRET, "endpoint": endpoint.pk, "enabled": "on"}
    return browser.post(reverse("admin:chat_sharedkey_add"), fields)


DOORS = [add_page, add_htmx, wrong_label, wrong_endpoint, paste, admin_add]
ANSWERS = {
    "works": whoami(),
    "lacks rights": fine_grained(),
    "refused": (401, {"error": f"who is {SECRET}?"}),
    "busy": (429, f"too often, {SECRET}".encode()),
    "broken": (500, f"<html>{SECRET}</html>".encode()),
    "echoes": whoami(SECRET),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("door", DOORS)
def test_it_comes_out_of_no_page_log_or_table(
    client: Client, ada: User, router: Endpoint, hub: Hub, caplog: pytest.LogCaptureFixture, door: Door, answer: str
) -> None:
    caplog.set_level(logging.DEBUG)
    hub.says[SECRET] = ANSWERS[answer]
    client.force_login(ada)

    given = door(client, router)

    pages: list[Any] = [
        given,
        *(client.get(reverse(name)) for name in ("keys:page", "admin:chat_sharedkey_changelist")),
    ]
    assert not any(b"canary" in page.content or "canary" in str(page.headers) for page in pages)
    assert "canary" not in str(client.cookies)
    assert "canary" not in caplog.text
    assert "canary" not in everything_stored()


def everything_stored() -> str:
    """All rows of all tables as text, and what lies on the disk if there is a file."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows.append(repr(cursor.fetchall()))
    name = Path(str(connection.settings_dict["NAME"]))
    files = [name, name.with_name(name.name + "-wal")] if connection.vendor == "sqlite" else []
    return "".join(rows) + "".join(file.read_bytes().decode("latin-1") for file in files if file.exists())


@pytest.mark.parametrize("debug", [False, True])
def test_an_error_page_hides_it(
    rf: RequestFactory, alice: User, router: Endpoint, settings: LazySettings, debug: bool
) -> None:
    settings.DEBUG = debug
    settings.ENCRYPTION_KEYS = ("not base64",)
    other = make_endpoint("other", kind=Endpoint.Kind.OPENAI, base_url="https://other.example/v1")
    request: Any = rf.post("/keys/add/", {"secret": SECRET, "endpoint": other.pk})
    request.user, request.htmx = alice, False

    with pytest.raises(ValueError) as caught:
        add(request)
    page = technical_500_response(request, caught.type, caught.value, caught.tb)
    report = ExceptionReporter(request, caught.type, caught.value, caught.tb, is_email=True).get_traceback_text()

    assert b"_ring" in page.content
    assert SECRET.encode() not in page.content
    assert SECRET not in report


def test_a_broken_vault_is_not_logged_with_it(
    client: Client, alice: User, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ENCRYPTION_KEYS = ("not base64",)
    other = make_endpoint("other", kind=Endpoint.Kind.OPENAI, base_url="https://other.example/v1")
    client.force_login(alice)
    client.raise_request_exception = False

    answer = add_page(client, other)

    assert answer.status_code == 500
    assert b"canary" not in answer.content
    assert "canary" not in caplog.text
    assert not PersonalKey.objects.exists()


def test_reprs_and_texts_hide_it(alice: User, router: Endpoint) -> None:
    key, shared = make_personal_key(alice, router, SECRET), make_shared_key(router, secret=SECRET)
    form = KeyForm({"secret": SECRET, "endpoint": router.pk})
    form.is_valid()
    credential = open_credential(f"personal:{key.pk}", alice, router)

    shown = [repr(key), str(key), repr(shared), repr(form), str(form), repr(credential), str(credential)]
    shown.append(str(SharedKeyForm({"secret": SECRET}, instance=shared)))

    assert not any("canary" in text for text in shown)


def test_refusals_by_the_vault_hide_it(alice: User, router: Endpoint) -> None:
    key = make_personal_key(alice, router, SECRET)
    router.base_url = "https://evil.example/v1"

    try:
        open_credential(f"personal:{key.pk}", alice, router)
    except Exception:
        report = ExceptionReporter(None, *sys.exc_info()).get_traceback_text()

    assert "KeyElsewhere" in report
    assert "canary" not in report
