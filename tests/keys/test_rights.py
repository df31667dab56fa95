"""Keys of other people do not exist, strangers sign in first, and only a POST changes anything."""

import pytest
from django.test import Client
from django.urls import reverse

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.models import PersonalKey, SharedKey
from tests.factories import make_personal_key, make_shared_key
from tests.keys.hub import Hub
from tests.keys.posting import HTMX, SECRET, new_key


@pytest.mark.parametrize(
    ("name", "method"), [("row", "get"), ("check", "post"), ("bill", "post"), ("delete", "get"), ("delete", "post")]
)
@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_key_of_somebody_else_does_not_exist(
    alices_browser: Client, bob: User, router: Endpoint, hub: Hub, name: str, method: str, headers: dict[str, str]
) -> None:
    key = make_personal_key(bob, router, SECRET)

    answer = getattr(alices_browser, method)(reverse(f"keys:{name}", args=[key.pk]), headers=headers)

    assert answer.status_code == 404
    assert PersonalKey.objects.filter(pk=key.pk).exists()
    assert hub.seen == []


def test_a_shared_key_cannot_be_reached_by_its_number(
    alices_browser: Client, alice: User, router: Endpoint, hub: Hub
) -> None:
    key = make_shared_key(router, alice)

    statuses = {alices_browser.post(reverse(f"keys:{name}", args=[key.pk])).status_code for name in ("check", "delete")}

    assert statuses == {404}
    assert SharedKey.objects.exists()


@pytest.mark.parametrize("name", ["page", "add", "paste", "row", "check", "bill", "delete"])
def test_strangers_are_sent_to_sign_in(client: Client, alice: User, router: Endpoint, hub: Hub, name: str) -> None:
    key = make_personal_key(alice, router)
    arguments = [] if name in ("page", "add", "paste") else [key.pk]
    address = reverse(f"keys:{name}", args=arguments)

    answer = client.get(address) if name in ("page", "row") else client.post(address, new_key(router))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))
    assert "canary" not in answer["Location"]
    assert PersonalKey.objects.count() == 1


@pytest.mark.parametrize("name", ["add", "paste", "check", "bill"])
def test_changes_need_a_post(alices_browser: Client, alice: User, router: Endpoint, name: str) -> None:
    key = make_personal_key(alice, router)
    arguments = [] if name in ("add", "paste") else [key.pk]

    assert alices_browser.get(reverse(f"keys:{name}", args=arguments)).status_code == 405


def test_looking_needs_a_get(alices_browser: Client, alice: User, router: Endpoint) -> None:
    key = make_personal_key(alice, router)

    assert alices_browser.post(reverse("keys:page")).status_code == 405
    assert alices_browser.post(reverse("keys:row", args=[key.pk])).status_code == 405
