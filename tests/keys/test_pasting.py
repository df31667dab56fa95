"""The box in the model picker where a missing key is pasted."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from chat.catalogue.models import Endpoint
from chat.keys.models import PersonalKey
from tests.keys.hub import Hub, whoami
from tests.keys.posting import HTMX, SECRET, secret_of


def test_a_key_pasted_in_the_picker_is_stored_and_announced(alices_browser: Client, router: Endpoint, hub: Hub) -> None:
    hub.says[SECRET] = whoami("anna")

    answer = alices_browser.post(reverse("keys:paste"), {"secret": SECRET, "endpoint": router.pk}, headers=HTMX)

    assert answer.status_code == 200
    assert re.search(rf'id="paste-{router.pk}".*Saved as …ab12.*Belongs to anna', answer.content.decode(), re.DOTALL)
    assert "keys-changed" in answer["HX-Trigger"]
    assert secret_of(PersonalKey.objects.get()) == SECRET


def test_a_refused_paste_says_why_in_its_place(alices_browser: Client, router: Endpoint, hub: Hub) -> None:
    answer = alices_browser.post(reverse("keys:paste"), {"secret": SECRET, "endpoint": router.pk}, headers=HTMX)

    assert answer.status_code == 422
    assert b"does not know this token" in answer.content
    assert b"canary" not in answer.content
    assert "HX-Trigger" not in answer
    assert not PersonalKey.objects.exists()


def test_a_paste_without_htmx_leads_to_the_page(alices_browser: Client, router: Endpoint, hub: Hub) -> None:
    hub.says[SECRET] = whoami()

    answer = alices_browser.post(reverse("keys:paste"), {"secret": SECRET, "endpoint": router.pk})

    assert (answer.status_code, answer["Location"]) == (302, reverse("keys:page"))


@pytest.mark.parametrize("endpoint", ["", "x", "999999", "9" * 40])
def test_a_paste_for_an_invented_endpoint_finds_nothing(
    alices_browser: Client, router: Endpoint, hub: Hub, endpoint: str
) -> None:
    answer = alices_browser.post(reverse("keys:paste"), {"secret": SECRET, "endpoint": endpoint}, headers=HTMX)

    assert answer.status_code == 404
    assert hub.seen == []
