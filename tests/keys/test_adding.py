"""Adding one's own key on the page of keys: checked once, stored sealed, shown by its end."""

import pytest
from django.test import Client
from django.urls import reverse

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.actions import KEYS_PER_PERSON
from chat.keys.models import PersonalKey
from chat.keys.vault import open_credential
from tests.factories import make_endpoint, make_local_endpoint
from tests.keys.hub import Hub, fine_grained, whoami
from tests.keys.posting import HTMX, SECRET, new_key, secret_of


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
