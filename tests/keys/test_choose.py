"""Own key first, then a granted one, then the environment's; what a person prefers wins while it is usable."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group

from chat.accounts.actions import disable_user
from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.choose import choose_key, choose_keys, usable_keys
from chat.keys.models import KeyGrant, PersonalKey, SharedKey
from chat.keys.vault import open_credential
from tests.factories import make_endpoint, make_local_endpoint, make_personal_key, make_shared_key

ENVIRONMENT_TOKEN = "hf_canary_of_the_environment_ef56"


def refs(user: User, endpoint: Endpoint) -> list[str]:
    return [choice.ref for choice in usable_keys(user, endpoint)]


def test_own_key_then_shared_then_environment(ada: User, router: Endpoint, settings: LazySettings) -> None:
    settings.HF_TOKEN = ENVIRONMENT_TOKEN
    shared, own = make_shared_key(router, ada), make_personal_key(ada, router)

    assert refs(ada, router) == [f"personal:{own.pk}", f"shared:{shared.pk}", "environment"]


def test_every_offered_key_opens(ada: User, router: Endpoint, settings: LazySettings) -> None:
    settings.HF_TOKEN = ENVIRONMENT_TOKEN
    make_shared_key(router, ada)
    make_personal_key(ada, router)
    local = make_local_endpoint()

    offered = [(ref, endpoint) for endpoint in (router, local) for ref in refs(ada, endpoint)]

    assert len(offered) == 4
    for ref, endpoint in offered:
        assert (open_credential(ref, ada, endpoint) is None) == (ref == "none")


def test_the_environments_token_is_offered_to_administrators_only(
    alice: User, ada: User, router: Endpoint, settings: LazySettings
) -> None:
    settings.HF_TOKEN = ENVIRONMENT_TOKEN

    choice = choose_key(ada, router)

    assert choose_key(alice, router) is None
    assert choice and choice.display == "HF_TOKEN …ef56"


def test_without_any_key_there_is_no_choice(alice: User, router: Endpoint) -> None:
    assert choose_key(alice, router) is None


def test_a_shared_key_reaches_members_of_a_group_once(alice: User, bob: User, router: Endpoint) -> None:
    group = Group.objects.create(name="vision")
    group.user_set.add(alice)
    key = make_shared_key(router, alice)
    KeyGrant.objects.create(shared_key=key, group=group)

    assert refs(alice, router) == [f"shared:{key.pk}"]
    assert refs(bob, router) == []


def test_a_paused_key_is_not_offered(alice: User, router: Endpoint) -> None:
    make_shared_key(router, alice)
    SharedKey.objects.update(enabled=False)

    assert refs(alice, router) == []


def test_what_a_person_prefers_wins_while_it_is_usable(alice: User, router: Endpoint) -> None:
    own, shared = make_personal_key(alice, router), make_shared_key(router, alice)
    wish = f"shared:{shared.pk}"

    before = choose_key(alice, router, wish)
    KeyGrant.objects.all().delete()
    after = choose_key(alice, router, wish)

    assert before and before.ref == wish
    assert after and after.ref == f"personal:{own.pk}"


def test_a_wish_for_anothers_key_is_not_granted(alice: User, bob: User, router: Endpoint) -> None:
    anothers = make_personal_key(bob, router)

    assert choose_key(alice, router, f"personal:{anothers.pk}") is None


def test_a_key_that_failed_its_check_comes_after_one_that_did_not(alice: User, router: Endpoint) -> None:
    working, failed = make_personal_key(alice, router), make_personal_key(alice, router)
    PersonalKey.objects.filter(pk=failed.pk).update(check_passed=False)

    assert refs(alice, router) == [f"personal:{working.pk}", f"personal:{failed.pk}"]
    assert [choice.checked_bad for choice in usable_keys(alice, router)] == [False, True]


def test_keys_of_an_endpoint_that_has_moved_are_not_offered(alice: User, router: Endpoint) -> None:
    make_personal_key(alice, router)
    router.base_url = "https://evil.example/v1"
    router.save()

    assert refs(alice, router) == []


def test_an_endpoint_that_needs_no_key_is_sent_none(alice: User) -> None:
    local = make_local_endpoint()
    make_personal_key(alice, local)

    assert refs(alice, local) == ["none"]


def test_a_disabled_person_has_no_keys(alice: User, router: Endpoint) -> None:
    make_personal_key(alice, router)
    disable_user(alice)

    assert refs(alice, router) == []


def test_who_pays_comes_with_the_choice(alice: User, router: Endpoint) -> None:
    make_shared_key(router, alice, bill_to="lab-org")

    choice = choose_key(alice, router)

    assert choice and choice.bill_to == "lab-org"


@pytest.mark.parametrize("lanes", [1, 6])
def test_all_lanes_together_cost_two_queries(
    alice: User, router: Endpoint, lanes: int, django_assert_num_queries: Any
) -> None:
    others = [make_endpoint(f"e{number}") for number in range(3)]
    for endpoint in (router, *others):
        make_personal_key(alice, endpoint)
        make_shared_key(endpoint, alice)
    wishes = [(endpoint, "") for endpoint in (router, *others, router, router)[:lanes]]

    with django_assert_num_queries(2):
        choices = choose_keys(alice, wishes)

    assert len([choice for choice in choices if choice]) == lanes
