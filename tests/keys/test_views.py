"""The page of keys: adding, checking, billing and deleting one's own, and pasting one in the model picker."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.actions import KEYS_PER_PERSON
from chat.keys.models import PersonalKey, SharedKey
from chat.keys.vault import Binding, open_credential, open_sealed
from tests.factories import make_endpoint, make_local_endpoint, make_personal_key, make_shared_key
from tests.keys.hub import Hub, fine_grained, whoami

SECRET = "hf_canary_of_the_page_ab12"
HTMX = {"HX-Request": "true"}
PROVIDERS = "inference.serverless.write"


def new_key(router: Endpoint, **fields: Any) -> dict[str, Any]:
    return {"secret": SECRET, "label": "Work", "endpoint": router.pk} | fields


def secret_of(key: PersonalKey) -> str:
    return open_sealed(key.sealed, Binding.of(key))


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


def test_a_good_token_is_checked_stored_and_shown_by_its_end(
    alices_browser: Client, alice: User, router: Endpoint, hub: Hub
) -> None:
    hub.says[SECRET] = whoami("anna")

    page = alices_browser.post(reverse("keys:add"), new_key(router), follow=True).content.decode()

    key = PersonalKey.objects.get()
    assert (key.user, key.label, key.host, key.check_passed) == (alice, "Work", "router.huggingface.co", True)
    assert secret_of(key) == SECRET
    assert "Saved. Only …ab12 is shown from now on." in page
    assert "Belongs to anna." in page


def test_htmx_gets_the_part_that_changed_and_an_event(alices_browser: Client, router: Endpoint, hub: Hub) -> None:
    hub.says[SECRET] = whoami()

    answer = alices_browser.post(reverse("keys:add"), new_key(router), headers=HTMX)

    assert answer.status_code == 200
    assert answer.content.decode().lstrip().startswith('<div class="keys" id="keys-own">')
    assert "keys-changed" in answer["HX-Trigger"]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_refused_token_is_not_stored_and_the_form_says_why(
    alices_browser: Client, router: Endpoint, hub: Hub, headers: dict[str, str]
) -> None:
    answer = alices_browser.post(reverse("keys:add"), new_key(router), headers=headers)

    assert answer.status_code == 422
    assert b"Hugging Face does not know this token." in answer.content
    assert b'value="Work"' in answer.content
    assert b"canary" not in answer.content
    assert not PersonalKey.objects.exists()


def test_a_token_without_the_right_is_stored_with_the_way_to_a_better_one(
    alices_browser: Client, router: Endpoint, hub: Hub
) -> None:
    hub.says[SECRET] = fine_grained()

    page = alices_browser.post(reverse("keys:add"), new_key(router), follow=True).content.decode()

    assert "May not call Inference Providers" in page
    assert "Does not work" in page
    assert "settings/tokens/new?ownUserPermissions=inference.serverless.write&amp;tokenType=fineGrained" in page
    assert PersonalKey.objects.get().check_passed is False


def test_a_token_that_could_not_be_checked_is_stored_and_says_so(
    alices_browser: Client, router: Endpoint, hub: Hub
) -> None:
    hub.says[SECRET] = (503, {"error": "down"})

    page = alices_browser.post(reverse("keys:add"), new_key(router), follow=True).content.decode()

    key = PersonalKey.objects.get()
    assert (key.check_passed, key.checked_at) == (None, None)
    assert page.count("Not checked: Hugging Face did not answer.") == 2


def test_a_key_of_another_server_is_stored_unchecked(alices_browser: Client, alice: User, hub: Hub) -> None:
    other = make_endpoint("other", kind=Endpoint.Kind.OPENAI, base_url="https://other.example:8443/v1")

    alices_browser.post(reverse("keys:add"), new_key(other))

    key = PersonalKey.objects.get()
    credential = open_credential(f"personal:{key.pk}", alice, other)
    assert credential and credential.host == "other.example:8443"
    assert hub.seen == []


def test_the_same_token_again_renews_its_row(alices_browser: Client, router: Endpoint, hub: Hub) -> None:
    hub.says[SECRET] = whoami()
    alices_browser.post(reverse("keys:add"), new_key(router))

    alices_browser.post(reverse("keys:add"), new_key(router, label=""))
    kept = PersonalKey.objects.get().label
    alices_browser.post(reverse("keys:add"), new_key(router, label="Home"))

    assert (kept, PersonalKey.objects.get().label) == ("Work", "Home")


@pytest.mark.parametrize("secret", ["", "   ", "a", "two words", "hf_ümlaut", "hf_line\nbreak", "x" * 5000])
def test_what_is_no_token_is_not_even_checked(alices_browser: Client, router: Endpoint, hub: Hub, secret: str) -> None:
    answer = alices_browser.post(reverse("keys:add"), new_key(router, secret=secret))

    assert answer.status_code == 422
    assert hub.seen == []
    assert not PersonalKey.objects.exists()


def test_space_around_a_pasted_token_does_no_harm(alices_browser: Client, router: Endpoint, hub: Hub) -> None:
    hub.says[SECRET] = whoami()

    alices_browser.post(reverse("keys:add"), new_key(router, secret=f"  {SECRET}\n"))

    assert secret_of(PersonalKey.objects.get()) == SECRET


def test_a_token_in_the_wrong_box_is_not_given_back(alices_browser: Client, router: Endpoint, hub: Hub) -> None:
    token = "hf_canarycanarycanarycanary"

    answer = alices_browser.post(reverse("keys:add"), new_key(router, label=token))

    assert answer.status_code == 422
    assert b"looks like a token" in answer.content
    assert b"canary" not in answer.content


def test_no_key_can_be_stored_for_the_local_model_or_a_closed_endpoint(
    alices_browser: Client, router: Endpoint, hub: Hub
) -> None:
    closed = make_endpoint("closed", enabled=False)

    for endpoint in (make_local_endpoint(), closed):
        assert alices_browser.post(reverse("keys:add"), new_key(endpoint)).status_code == 422

    assert hub.seen == []


def test_one_person_keeps_a_limited_number(alices_browser: Client, alice: User, router: Endpoint, hub: Hub) -> None:
    PersonalKey.objects.bulk_create(
        PersonalKey(user=alice, endpoint=router, label=str(number)) for number in range(KEYS_PER_PERSON)
    )

    answer = alices_browser.post(reverse("keys:add"), new_key(router))

    assert b"Delete one first." in answer.content
    assert hub.seen == []


def test_nobody_uses_up_the_hubs_patience(alices_browser: Client, router: Endpoint, hub: Hub) -> None:
    answers = [alices_browser.post(reverse("keys:add"), new_key(router)) for _ in range(12)]

    assert b"a lot of keys for one minute" in answers[-1].content
    assert len(hub.seen) == 10


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


def test_markup_in_names_and_reports_is_inert(alices_browser: Client, router: Endpoint, hub: Hub) -> None:
    evil = "<img src=x onerror=alert(1)>"
    hub.says[SECRET] = whoami(evil, orgs=[{"name": evil}])

    page = alices_browser.post(reverse("keys:add"), new_key(router, label=evil), follow=True).content.decode()

    assert evil not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 3
