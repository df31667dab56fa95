"""The page of keys: what it shows, and checking, billing and deleting what is on it."""

import pytest
from django.test import Client
from django.urls import reverse

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.models import PersonalKey
from tests.factories import make_personal_key, make_shared_key
from tests.keys.hub import Hub, fine_grained, whoami
from tests.keys.posting import HTMX, SECRET, new_key

PROVIDERS = "inference.serverless.write"


def test_the_page_shows_own_and_shared_keys_and_nobody_elses(
    alices_browser: Client, alice: User, bob: User, router: Endpoint
) -> None:
    make_personal_key(alice, router, label="Own", secret="hf_secret_of_alice_aaaa")
    make_personal_key(bob, router, label="Bobs", secret="hf_secret_of_bob_bbbb")
    make_shared_key(router, alice, label="Team")
    make_shared_key(router, bob, label="Others")

    page = alices_browser.get(reverse("keys:page")).content.decode()

    assert "…aaaa" in page and "Team" in page and "given to you by an administrator" in page
    assert "Bobs" not in page and "Others" not in page
    assert "hf_secret" not in page and "v1." not in page


def test_checking_again_notes_what_has_changed(alices_browser: Client, alice: User, router: Endpoint, hub: Hub) -> None:
    key = make_personal_key(alice, router, SECRET)
    hub.says[SECRET] = fine_grained(PROVIDERS, orgs={"lab": [PROVIDERS]})
    alices_browser.post(reverse("keys:check", args=[key.pk]), headers=HTMX)
    key.refresh_from_db()
    before = (key.check_passed, key.organisations)

    del hub.says[SECRET]
    answer = alices_browser.post(reverse("keys:check", args=[key.pk]), headers=HTMX)

    key.refresh_from_db()
    assert before == (True, ["lab"])
    assert key.check_passed is False
    assert b"Hugging Face does not know this token." in answer.content


def test_a_check_that_learns_nothing_takes_nothing_back(
    alices_browser: Client, alice: User, router: Endpoint, hub: Hub
) -> None:
    key = make_personal_key(alice, router, SECRET)
    hub.says[SECRET] = whoami(orgs=[{"name": "lab"}])
    alices_browser.post(reverse("keys:check", args=[key.pk]))
    hub.says[SECRET] = (429, {"error": "slow down"})

    alices_browser.post(reverse("keys:check", args=[key.pk]))

    key.refresh_from_db()
    assert (key.check_passed, key.organisations) == (True, ["lab"])
    assert key.check_report.startswith("Not checked:")


def test_a_key_that_cannot_be_read_says_so(alices_browser: Client, alice: User, router: Endpoint, hub: Hub) -> None:
    key = make_personal_key(alice, router, SECRET)
    PersonalKey.objects.update(sealed="v1.ffffffff." + key.sealed.split(".")[2])

    answer = alices_browser.post(reverse("keys:check", args=[key.pk]), headers=HTMX)

    assert b"Type it in again." in answer.content
    assert hub.seen == []


def test_an_organisation_of_the_token_can_pay(alices_browser: Client, alice: User, router: Endpoint) -> None:
    key = make_personal_key(alice, router, organisations=["lab", "other"])

    answer = alices_browser.post(reverse("keys:bill", args=[key.pk]), {"organisation": "lab"}, headers=HTMX)
    key.refresh_from_db()
    chosen = key.bill_to
    alices_browser.post(reverse("keys:bill", args=[key.pk]), {"organisation": ""})

    key.refresh_from_db()
    assert (chosen, key.bill_to) == ("lab", "")
    assert b"<option selected>lab</option>" in answer.content


def test_a_foreign_organisation_cannot_pay(alices_browser: Client, alice: User, router: Endpoint) -> None:
    key = make_personal_key(alice, router, organisations=["lab"])

    answer = alices_browser.post(reverse("keys:bill", args=[key.pk]), {"organisation": "evil"}, headers=HTMX)

    key.refresh_from_db()
    assert key.bill_to == ""
    assert b"cannot be billed" in answer.content


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_deleting_asks_first(alices_browser: Client, alice: User, router: Endpoint, headers: dict[str, str]) -> None:
    key = make_personal_key(alice, router)
    address = reverse("keys:delete", args=[key.pk])

    asked = alices_browser.get(address, headers=headers)
    still_there = PersonalKey.objects.exists()
    alices_browser.post(address, headers=headers)

    assert "Delete My token …ab12?" in asked.content.decode()
    assert (b"<html" in asked.content) == (not headers)
    assert still_there
    assert not PersonalKey.objects.exists()


def test_thinking_better_of_deleting_brings_the_row_back(alices_browser: Client, alice: User, router: Endpoint) -> None:
    key = make_personal_key(alice, router)

    answer = alices_browser.get(reverse("keys:row", args=[key.pk]), headers=HTMX)

    assert f'id="key-{key.pk}"' in answer.content.decode()


def test_markup_in_names_and_reports_is_inert(alices_browser: Client, router: Endpoint, hub: Hub) -> None:
    evil = "<img src=x onerror=alert(1)>"
    hub.says[SECRET] = whoami(evil, orgs=[{"name": evil}])

    page = alices_browser.post(reverse("keys:add"), new_key(router, label=evil), follow=True).content.decode()

    assert evil not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 3
