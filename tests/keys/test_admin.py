"""Shared keys in Django admin: the secret goes in, is checked, and never comes out."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.models import SharedKey
from chat.keys.vault import Binding, open_sealed
from tests.factories import make_endpoint, make_shared_key
from tests.keys.hub import Hub, fine_grained, whoami

SECRET = "hf_canary_of_the_admin_cd34"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def fields(endpoint: Endpoint, **changes: Any) -> dict[str, Any]:
    """What the form in Django admin posts."""
    posted: dict[str, Any] = {
        "label": "Team key",
        "endpoint": endpoint.pk,
        "secret": SECRET,
        "bill_to": "",
        "enabled": "on",
    }
    return posted | changes


def change_page(key: SharedKey) -> str:
    return reverse("admin:chat_sharedkey_change", args=[key.pk])


def secret_of(key: SharedKey) -> str:
    return open_sealed(key.sealed, Binding.of(key))


def test_a_shared_key_is_added_and_checked(browser: Client, ada: User, router: Endpoint, hub: Hub) -> None:
    hub.says[SECRET] = whoami("lab-bot")

    page = browser.post(reverse("admin:chat_sharedkey_add"), fields(router), follow=True)

    key = SharedKey.objects.get()
    assert secret_of(key) == SECRET
    assert (key.created_by, key.host, key.last_four, key.check_passed) == (ada, "router.huggingface.co", "cd34", True)
    assert "Team key …cd34: Belongs to lab-bot." in page.content.decode()


def test_the_secret_is_on_no_page_afterwards(browser: Client, router: Endpoint) -> None:
    key = make_shared_key(router, secret=SECRET)

    pages = [
        browser.get(reverse("admin:chat_sharedkey_changelist")),
        browser.get(change_page(key)),
        browser.get(reverse("admin:chat_sharedkey_history", args=[key.pk])),
        browser.get(reverse("admin:chat_sharedkey_delete", args=[key.pk])),
    ]

    for page in pages:
        assert page.status_code == 200
        assert b"canary" not in page.content
        assert key.sealed.encode() not in page.content


def test_a_change_without_a_secret_keeps_the_stored_one(browser: Client, router: Endpoint, hub: Hub) -> None:
    key = make_shared_key(router, secret=SECRET)

    browser.post(change_page(key), fields(router, label="Renamed", secret=""))

    after = SharedKey.objects.get()
    assert (after.label, secret_of(after)) == ("Renamed", SECRET)
    assert hub.seen == []


def test_a_typed_secret_replaces_the_stored_one_and_its_outcome(browser: Client, router: Endpoint, hub: Hub) -> None:
    key = make_shared_key(router, secret="hf_the_one_from_before_0000", check_passed=False)
    hub.says[SECRET] = whoami()

    browser.post(change_page(key), fields(router))

    after = SharedKey.objects.get()
    assert (secret_of(after), after.last_four, after.check_passed) == (SECRET, "cd34", True)


def test_a_new_key_needs_a_secret(browser: Client, router: Endpoint, hub: Hub) -> None:
    answer = browser.post(reverse("admin:chat_sharedkey_add"), fields(router, secret=""))

    assert b"This field is required." in answer.content
    assert not SharedKey.objects.exists()


def test_a_wrong_form_comes_back_without_the_secret(browser: Client, router: Endpoint, hub: Hub) -> None:
    answer = browser.post(reverse("admin:chat_sharedkey_add"), fields(router, label=""))

    assert b"This field is required." in answer.content
    assert b"canary" not in answer.content
    assert hub.seen == []


def test_a_stored_secret_is_not_carried_to_another_host(browser: Client, router: Endpoint, hub: Hub) -> None:
    key = make_shared_key(router, secret=SECRET)
    elsewhere = make_endpoint("elsewhere", kind=Endpoint.Kind.OPENAI, base_url="https://evil.example/v1")

    answer = browser.post(change_page(key), fields(elsewhere, secret=""))

    assert b"The stored secret belongs to router.huggingface.co." in answer.content
    assert SharedKey.objects.get().endpoint == router


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (fine_grained(), "May not call Inference Providers"),
        ((401, {}), "does not know this token"),
        ((500, {}), "did not answer"),
    ],
)
def test_what_the_check_found_is_said(
    browser: Client, router: Endpoint, hub: Hub, says: tuple[int, Any], words: str
) -> None:
    hub.says[SECRET] = says

    page = browser.post(reverse("admin:chat_sharedkey_add"), fields(router), follow=True).content.decode()

    assert words in page
    assert "canary" not in page
    assert not SharedKey.objects.get().check_passed


def test_keys_can_be_checked_again_together(browser: Client, router: Endpoint, hub: Hub) -> None:
    hub.says[SECRET] = whoami("lab-bot")
    key = make_shared_key(router, secret=SECRET)

    page = browser.post(
        reverse("admin:chat_sharedkey_changelist"), {"action": "check_now", "_selected_action": [key.pk]}, follow=True
    )

    assert b"Belongs to lab-bot." in page.content
    assert SharedKey.objects.get().check_passed


def test_those_who_administer_nothing_do_not_get_in(client: Client, alice: User, router: Endpoint) -> None:
    make_shared_key(router)
    client.force_login(alice)

    assert client.get(reverse("admin:chat_sharedkey_changelist")).status_code == 302
