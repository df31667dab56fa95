"""Endpoints in Django admin: what an administrator may enter, and what stays the settings' own."""

from typing import Any

import pytest
from django.test import Client

from chat.catalogue.actions import ensure_endpoints
from chat.catalogue.models import Endpoint
from chat.providers.reach import Reach
from tests.factories import make_administrator, make_endpoint, make_user

pytestmark = pytest.mark.django_db
URL = "/admin/chat/endpoint/"
FILLED = {
    "label": "Lab",
    "slug": "lab",
    "kind": "tgi",
    "base_url": "https://abc.endpoints.huggingface.cloud",
    "needs_key": "on",
    "enabled": "on",
    "connect_timeout": "5",
    "first_token_timeout": "300",
    "between_tokens_timeout": "30",
}


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(make_administrator())
    return client


def test_administrator_adds_an_endpoint(browser: Client) -> None:
    assert browser.post(f"{URL}add/", FILLED).status_code == 302

    endpoint = Endpoint.objects.get(slug="lab")
    assert (endpoint.kind, endpoint.origin, endpoint.first_token_timeout) == ("tgi", "administrator", 300)


def test_address_that_chats_go_to_is_shown(browser: Client) -> None:
    endpoint = make_endpoint("lab", kind="tgi", base_url="https://abc.endpoints.huggingface.cloud")

    html = browser.get(f"{URL}{endpoint.pk}/change/").text

    assert "https://abc.endpoints.huggingface.cloud/v1/chat/completions" in html


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"base_url": "ftp://host"}, "must begin with http"),
        ({"base_url": "http://169.254.169.254/v1"}, "network set-up"),
        ({"base_url": "https://me:pw@host/v1"}, "user name"),
        ({"base_url": "http://127.0.0.1:8080/v1"}, "in a private network"),
        ({"base_url": "http://[::ffff:10.0.0.1]/v1"}, "in a private network"),
        ({"slug": "hf"}, "taken by a built-in endpoint"),
        ({"slug": "a b"}, "valid “slug”"),
        ({"kind": "local"}, "not one of the available choices"),
        ({"kind": "router"}, "not one of the available choices"),
        ({"connect_timeout": "0"}, "more than 0"),
        ({"between_tokens_timeout": "-1"}, "more than 0"),
        ({"first_token_timeout": "1e9"}, "at most 3600"),
        ({"first_token_timeout": "nan"}, "Enter a number"),
    ],
)
def test_what_is_wrong_is_refused_in_words(browser: Client, wrong: dict[str, Any], words: str) -> None:
    response = browser.post(f"{URL}add/", FILLED | wrong)

    assert words in response.text
    assert not Endpoint.objects.exists()


def test_a_server_in_a_private_network_is_allowed_by_name(browser: Client) -> None:
    own = FILLED | {"base_url": "http://10.0.0.7:8080", "private_addresses_allowed": "on"}

    browser.post(f"{URL}add/", own)
    browser.post(f"{URL}add/", FILLED | {"slug": "other"})

    reaches = {endpoint.slug: endpoint.reach for endpoint in Endpoint.objects.all()}
    assert reaches == {"lab": Reach.PRIVATE, "other": Reach.PUBLIC}


def test_what_the_settings_name_is_trusted_as_it_is(browser: Client) -> None:
    ensure_endpoints()

    assert {endpoint.reach for endpoint in Endpoint.objects.all()} == {Reach.PRIVATE}


def test_router_can_be_switched_off_but_not_moved_or_deleted(browser: Client) -> None:
    ensure_endpoints()
    router = Endpoint.objects.get(slug="hf")

    browser.post(f"{URL}{router.pk}/change/", FILLED | {"label": "HF", "enabled": ""})
    deleted = browser.post(f"{URL}{router.pk}/delete/", {"post": "yes"})

    again = Endpoint.objects.get(slug="hf")
    assert (again.label, again.enabled, again.base_url, again.kind) == ("HF", False, router.base_url, "router")
    assert deleted.status_code == 403


def test_member_has_no_access() -> None:
    client = Client()
    client.force_login(make_user())

    assert client.post(f"{URL}add/", FILLED).status_code == 302
    assert not Endpoint.objects.exists()


def test_label_with_markup_stays_text(browser: Client) -> None:
    make_endpoint("lab", label="<img src=x>", sync_error="<script>alert(1)</script>")

    html = browser.get(URL).text

    assert "<img src=x>" not in html and "<script>alert(1)" not in html
