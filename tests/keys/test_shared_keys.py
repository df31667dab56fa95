"""The life of a shared key in Django admin: checked, replaced, moved, switched off and on, retired; never shown."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.accounts.models import User
from chat.audit.models import AuditEntry
from chat.catalogue.models import Endpoint, LanguageModel, Offer
from chat.keys.choose import choose_key
from chat.keys.models import Key, KeyGrant, SharedKey
from chat.keys.vault import Binding, open_credential, open_sealed
from chat.notices import actions as notices
from chat.notices.models import Notice
from tests.factories import make_endpoint, make_personal_key, make_shared_key
from tests.keys.hub import Hub, whoami
from tests.keys.test_admin import change_page, fields
from tests.served_provider import ServedProvider

SECRET = "hf_good_canary_of_the_admin_cd34"
HEADERS = "X-Api-Key: canary-of-a-header-set-ef56\nX-Project: lab"
ADD = "/admin/chat/sharedkey/add/"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def browser(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def provider() -> Iterator[ServedProvider]:
    with ServedProvider() as provider:
        yield provider


@pytest.fixture
def served(provider: ServedProvider) -> Endpoint:
    """An endpoint that answers, with two models listed."""
    endpoint = make_endpoint("lab", kind=Endpoint.Kind.OPENAI, base_url=provider.base_url)
    for name, price in (("fake/dear", 9), ("fake/plain", 1)):
        model = LanguageModel.objects.create(hub_id=name)
        Offer.objects.create(endpoint=endpoint, language_model=model, input_price=price, output_price=price)
    return endpoint


def secret_of(key: SharedKey) -> str:
    return open_sealed(key.sealed, Binding.of(key))


def text(answer: Any) -> str:
    assert b"canary" not in answer.content
    return str(answer.content.decode())


def act(browser: Client, action: str, key: SharedKey) -> str:
    url = reverse("admin:chat_sharedkey_changelist")
    return text(browser.post(url, {"action": action, "_selected_action": [key.pk]}, follow=True))


def test_a_key_is_tried_on_the_cheapest_model_with_one_token(
    browser: Client, served: Endpoint, provider: ServedProvider
) -> None:
    page = text(browser.post(ADD, fields(served, secret=SECRET, bill_to="lab-org"), follow=True))

    [asked] = provider.chats()
    headers = {name.lower(): value for name, value in asked["headers"].items()}
    assert (asked["body"]["model"], asked["body"]["max_tokens"]) == ("fake/plain", 1)
    assert (headers["authorization"], headers["x-hf-bill-to"]) == (f"Bearer {SECRET}", "lab-org")
    assert "plain answered a test of one token." in page
    assert SharedKey.objects.get().check_passed is True


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("hf_bad_canary_0000", "This key was not accepted."),
        ("hf_norights_canary_0000", "This key does not have the right to use this model."),
        ("hf_poor_canary_0000", "The account behind this key is out of credit."),
    ],
)
def test_what_the_test_found_is_said(browser: Client, served: Endpoint, secret: str, words: str) -> None:
    page = text(browser.post(ADD, fields(served, secret=secret), follow=True))

    assert words in page
    assert SharedKey.objects.get().check_passed is False


def test_a_test_that_a_busy_provider_refuses_takes_nothing_back(browser: Client, served: Endpoint) -> None:
    page = text(browser.post(ADD, fields(served, secret="hf_limited_canary_0000"), follow=True))

    assert "Too many requests for now." in page
    assert SharedKey.objects.get().check_passed is None


def test_a_key_of_headers_is_sent_as_them_and_nothing_else(
    browser: Client, alice: User, served: Endpoint, provider: ServedProvider
) -> None:
    text(browser.post(ADD, fields(served, secret="", headers=HEADERS), follow=True))

    key = SharedKey.objects.get()
    [asked] = provider.chats()
    headers = {name.lower(): value for name, value in asked["headers"].items()}
    assert (headers["x-api-key"], headers["x-project"]) == ("canary-of-a-header-set-ef56", "lab")
    assert "authorization" not in headers
    assert (key.carried, key.last_four) == (Key.Carried.HEADERS, "ef56")
    KeyGrant.objects.create(shared_key=key, user=alice)
    credential = open_credential(f"shared:{key.pk}", alice, served)
    assert credential and credential.secrets == ("canary-of-a-header-set-ef56",)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("X-Api-Key canary-without-a-colon", "Line 1 is no Name: value."),
        ("X-Api-Key: canary-1234\nHost: canary.example", "Line 2 is set by the playground itself."),
        ("X-Api-Key: canary-1234\nCookie: canary=1", "Line 2 is set by the playground itself."),
        ("X-Forwarded-For: canary-1234", "Line 1 is set by the playground itself."),
        ("X Api: canary-1234", "Line 1 is not a valid header name."),
        ("X-Api-Key: canary-\x01234", "Line 1 has a value with characters that a header cannot carry."),
        ("A: canary-1234\na: canary-5678", "A header is named twice."),
        ("X-Project: lab", "none of them can be a secret."),
        ("\n".join(f"X-{n}: canary-1234" for n in range(11)), "Give 1 to 10 lines"),
    ],
)
def test_headers_that_cannot_be_a_key_are_refused_in_words(
    browser: Client, served: Endpoint, typed: str, words: str
) -> None:
    page = text(browser.post(ADD, fields(served, secret="", headers=typed)))

    assert words in page
    assert not SharedKey.objects.exists()


def test_a_token_and_headers_together_are_refused(browser: Client, served: Endpoint) -> None:
    assert "Give a token or headers, not both." in text(browser.post(ADD, fields(served, headers=HEADERS)))


@pytest.mark.parametrize("given", [{"secret": SECRET}, {"secret": "", "headers": HEADERS}])
def test_the_same_secret_is_refused_as_a_second_key(browser: Client, served: Endpoint, given: dict[str, str]) -> None:
    browser.post(ADD, fields(served, **given))
    elsewhere = make_endpoint("elsewhere", kind=Endpoint.Kind.OPENAI, base_url="https://other.example/v1")

    page = text(browser.post(ADD, fields(elsewhere, label="Again", **given)))

    [key] = SharedKey.objects.all()
    assert f"This secret is stored already, as {key.display}." in page
    assert "canary" not in key.fingerprint and len(key.fingerprint) == 64


def test_a_secret_that_was_stored_before_there_were_fingerprints_is_known_too(
    browser: Client, served: Endpoint
) -> None:
    key = make_shared_key(served, secret=SECRET)

    assert f"stored already, as {key.display}" in text(browser.post(ADD, fields(served, secret=SECRET)))


def test_its_own_secret_may_be_typed_again(browser: Client, served: Endpoint) -> None:
    browser.post(ADD, fields(served, secret=SECRET))
    key = SharedKey.objects.get()

    answer = browser.post(change_page(key), fields(served, secret=SECRET))

    assert answer.status_code == 302


def test_a_replaced_secret_leaves_the_grants_and_wakes_a_dead_key(
    browser: Client, alice: User, served: Endpoint
) -> None:
    key = make_shared_key(served, alice, secret="hf_bad_0000", enabled=False, stopped_because="It was not accepted.")
    notices.tell(notices.Kind.KEY_DIED, f"shared:{key.pk}", "It died.")

    browser.post(change_page(key), fields(served, secret=SECRET, enabled=""))

    after = SharedKey.objects.get()
    assert (secret_of(after), after.enabled, after.stopped_because) == (SECRET, True, "")
    assert [grant.user for grant in after.grants.all()] == [alice]
    assert choose_key(alice, served)
    assert not Notice.objects.filter(settled_at=None).exists()


def test_a_key_that_is_switched_off_by_hand_pays_for_nothing_until_it_is_switched_on(
    browser: Client, alice: User, served: Endpoint
) -> None:
    key = make_shared_key(served, alice, secret=SECRET)

    browser.post(change_page(key), fields(served, secret="", enabled=""))
    off = choose_key(alice, served)
    browser.post(change_page(key), fields(served, secret=""))

    assert off is None and choose_key(alice, served)
    assert list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True)) == ["disabled", "enabled"]


def test_a_parked_key_is_used_again_when_an_administrator_says_so(
    browser: Client, alice: User, served: Endpoint
) -> None:
    key = make_shared_key(served, alice, parked_until=timezone.now() + timedelta(days=3))
    parked = choose_key(alice, served)

    assert "out of credit" in text(browser.get(reverse("admin:chat_sharedkey_changelist")))
    act(browser, "use_again", key)

    assert parked is None and choose_key(alice, served)


def test_a_retired_key_has_no_secret_any_more(browser: Client, alice: User, served: Endpoint) -> None:
    key = make_shared_key(served, alice, secret=SECRET)

    page = act(browser, "retire", key)

    after = SharedKey.objects.get()
    assert "is retired" in page and (after.sealed, after.fingerprint, after.enabled) == ("", "", False)
    assert choose_key(alice, served) is None
    assert AuditEntry.objects.get().details == {"retired": True}
    assert "This field is required." in text(browser.post(change_page(key), fields(served, secret="")))
    assert browser.post(ADD, fields(served, secret=SECRET)).status_code == 302


@pytest.mark.parametrize("changed", ["https://moved.example/v1", "http://127.0.0.1:9/v1", "scheme"])
def test_keys_of_an_endpoint_that_moves_are_held_back_until_confirmed(
    browser: Client, alice: User, changed: str
) -> None:
    lab = make_endpoint("lab", kind=Endpoint.Kind.OPENAI, base_url="https://lab.example/v1")
    key = make_shared_key(lab, alice, secret=SECRET)
    make_personal_key(alice, lab, "hf_good_canary_of_alice")
    lab.base_url = "http://lab.example/v1" if changed == "scheme" else changed
    posted = {
        "label": "Lab",
        "slug": "lab",
        "kind": "openai",
        "base_url": lab.base_url,
        "needs_key": "on",
        "private_addresses_allowed": "on",
        "enabled": "on",
        "connect_timeout": "5",
        "first_token_timeout": "300",
        "between_tokens_timeout": "30",
    }

    page = text(browser.post(f"/admin/chat/endpoint/{lab.pk}/change/", posted, follow=True))

    assert "Held back: 2, given for lab.example." in page
    assert choose_key(alice, lab) is None
    listed = text(browser.get(reverse("admin:chat_sharedkey_changelist")))
    assert "held back: given for https://lab.example" in listed
    refused = text(browser.post(change_page(key), fields(lab, secret="")))
    assert "The stored secret belongs to lab.example." in refused

    browser.post(change_page(key), fields(lab, secret="", confirm_address="on"))

    after = SharedKey.objects.get()
    choice = choose_key(alice, lab)
    assert choice and choice.ref == f"shared:{key.pk}"
    assert (secret_of(after), after.host, after.scheme) == (SECRET, lab.host, lab.scheme)
    moved = AuditEntry.objects.filter(details__has_key="is sent to").get()
    assert moved.details["is sent to"]["to"] == f"{lab.scheme}://{lab.host}"


def test_an_endpoint_that_goes_from_clear_to_encrypted_keeps_its_keys(alice: User) -> None:
    lab = make_endpoint("lab", kind=Endpoint.Kind.OPENAI, base_url="http://lab.example/v1")
    make_shared_key(lab, alice)

    lab.base_url = "https://lab.example/v1"

    assert choose_key(alice, lab)


def test_the_page_leads_to_where_tokens_with_few_rights_are_made(browser: Client, router: Endpoint, hub: Hub) -> None:
    page = text(browser.get(ADD))

    link = "/settings/tokens/new?ownUserPermissions=inference.serverless.write&amp;tokenType=fineGrained"
    assert link in page


@pytest.mark.parametrize("payer", ["a b", "x\r\ny", "ärzte", "-lab"])
def test_who_pays_must_be_a_name(browser: Client, router: Endpoint, hub: Hub, payer: str) -> None:
    hub.says[SECRET] = whoami()

    assert "Give the name of an organisation" in text(browser.post(ADD, fields(router, secret=SECRET, bill_to=payer)))
