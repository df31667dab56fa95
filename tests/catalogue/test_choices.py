"""What people type for a model, and what it means."""

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.accounts.models import User
from chat.catalogue.actions import remember_choice
from chat.catalogue.choices import (
    DEFAULT_MODEL,
    UnknownModel,
    UnusableChoice,
    choice_text,
    default_choice,
    local_choice,
    parse_choice,
    pick_choice,
)
from chat.catalogue.models import Endpoint, ModelChoice
from tests.catalogue.lists import LLAMA, QWEN, SMOL, answer, fill, fill_local
from tests.factories import make_endpoint, make_local_endpoint, make_user

pytestmark = pytest.mark.django_db

TGI_URL = "https://abc.endpoints.huggingface.cloud"
names = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=30)
providers = st.just("") | st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True)


@pytest.fixture
def alice() -> User:
    return make_user()


@pytest.fixture
def router() -> Endpoint:
    return fill(make_endpoint("hf"))


@pytest.fixture
def local() -> Endpoint:
    return fill_local(make_local_endpoint())


@pytest.fixture
def tgi() -> Endpoint:
    return fill(make_endpoint("lab", kind=Endpoint.Kind.TGI, base_url=TGI_URL), answer({"id": "lab/tuned:v2"}))


@pytest.mark.parametrize(
    ("text", "model_id", "provider"),
    [
        (LLAMA, LLAMA, ""),
        (f"  {LLAMA}:cerebras ", LLAMA, "cerebras"),
        (f"{LLAMA}:fastest", LLAMA, "fastest"),
        ("org/never-listed:cheapest", "org/never-listed", "cheapest"),
        (f"hf@{LLAMA}:together", LLAMA, "together"),
        ("gpt2:novita", "gpt2", "novita"),
    ],
)
def test_hub_ids_are_for_the_router_listed_or_not(router: Endpoint, text: str, model_id: str, provider: str) -> None:
    assert parse_choice(text) == ModelChoice(router.pk, model_id, provider)


def test_name_of_the_model_on_this_machine_is_that_model(router: Endpoint, local: Endpoint) -> None:
    assert parse_choice(SMOL) == ModelChoice(local.pk, SMOL)


def test_colon_belongs_to_the_name_where_there_are_no_providers(router: Endpoint, tgi: Endpoint) -> None:
    assert parse_choice("lab@lab/tuned:v2") == ModelChoice(tgi.pk, "lab/tuned:v2")


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
def test_url_of_a_known_endpoint_is_its_model(router: Endpoint, tgi: Endpoint, path: str) -> None:
    assert parse_choice(f"HTTPS://ABC.endpoints.huggingface.cloud{path}") == ModelChoice(tgi.pk, "lab/tuned:v2")


def test_url_of_an_endpoint_that_lists_nothing_is_asked_for_its_one_model(router: Endpoint) -> None:
    bare = make_endpoint("bare", kind=Endpoint.Kind.TGI, base_url=TGI_URL)

    assert parse_choice(TGI_URL) == ModelChoice(bare.pk, "tgi")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Type the name"),
        ("two words", "one word"),
        ("a\x00/b", "one word"),
        ("org/" + "x" * 700, "one word"),
        ("org/" + "x" * 300, "as long as this"),
        ("https://elsewhere.example/v1", "administrator can add it"),
        ("http://[bad", "not a web address"),
        ("nowhere@org/name", "No endpoint is called 'nowhere'"),
        ("hf@", "Name a model"),
        ("hf@:novita", "Name a model"),
        (f"{LLAMA}:", "Name a model"),
        ("hf_abcdefghijklmnopqrstuvwxyz012345", "This is a token"),
    ],
)
def test_what_names_no_model_is_refused_in_words(router: Endpoint, text: str, words: str) -> None:
    with pytest.raises(UnusableChoice, match=words):
        parse_choice(text)


def test_bare_name_that_nothing_lists_is_asked_about(router: Endpoint) -> None:
    with pytest.raises(UnknownModel, match="Nothing named 'llma'. Use it as typed?") as caught:
        parse_choice("llma")

    assert caught.value.as_typed == ModelChoice(router.pk, "llma")


def test_disabled_endpoint_is_not_there(router: Endpoint, tgi: Endpoint) -> None:
    Endpoint.objects.filter(pk=tgi.pk).update(enabled=False)

    for text in ("lab@lab/tuned", TGI_URL):
        with pytest.raises(UnusableChoice):
            parse_choice(text)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=names, owner=st.just("") | names, provider=providers, where=st.sampled_from(["hf", "lab", "local"]))
def test_written_choice_is_read_back_as_the_same(
    router: Endpoint, tgi: Endpoint, local: Endpoint, name: str, owner: str, provider: str, where: str
) -> None:
    model_id = f"{owner}/{name}" if owner else name
    if where == "hf":
        choice = ModelChoice(router.pk, model_id.replace(":", ""), provider)
    else:
        choice = ModelChoice({"lab": tgi, "local": local}[where].pk, model_id)
    if not choice.model_id:
        return

    assert parse_choice(choice_text(choice)) == choice


def test_choice_at_the_router_of_what_this_machine_has_too_names_the_router(router: Endpoint, local: Endpoint) -> None:
    choice = ModelChoice(router.pk, SMOL)

    assert choice_text(choice) == f"hf@{SMOL}"
    assert parse_choice(choice_text(choice)) == choice


def test_enter_picks_the_exact_id_wherever_it_is_listed(router: Endpoint, tgi: Endpoint, alice: User) -> None:
    assert pick_choice("lab/tuned:v2", alice) == ModelChoice(tgi.pk, "lab/tuned:v2")


def test_enter_takes_an_unlisted_id_as_typed(router: Endpoint, alice: User) -> None:
    assert pick_choice("org/Llama:novita", alice) == ModelChoice(router.pk, "org/Llama", "novita")


def test_enter_takes_the_first_match_of_a_bare_word(router: Endpoint, alice: User) -> None:
    assert pick_choice("qwen", alice) == ModelChoice(router.pk, QWEN)


def test_enter_prefers_what_was_chosen_lately(router: Endpoint, alice: User) -> None:
    remember_choice(alice, ModelChoice(router.pk, "zeta/Instruct-9", "novita"))

    assert pick_choice("instruct", alice) == ModelChoice(router.pk, "zeta/Instruct-9", "novita")


def test_enter_takes_a_word_without_match_as_typed(router: Endpoint, alice: User) -> None:
    assert pick_choice("llma", alice) == ModelChoice(router.pk, "llma")


def test_percent_sign_is_no_wildcard(router: Endpoint, alice: User) -> None:
    assert pick_choice("%", alice) == ModelChoice(router.pk, "%")


def test_new_chat_without_a_key_starts_on_this_machine(router: Endpoint, local: Endpoint, alice: User) -> None:
    assert default_choice(alice, has_key=False) == ModelChoice(local.pk, SMOL) == local_choice()


def test_new_chat_with_a_key_starts_at_the_router(router: Endpoint, local: Endpoint, alice: User) -> None:
    assert default_choice(alice, has_key=True) == ModelChoice(router.pk, DEFAULT_MODEL)


def test_new_chat_starts_with_what_was_chosen_last(router: Endpoint, local: Endpoint, alice: User) -> None:
    remember_choice(alice, ModelChoice(router.pk, QWEN, "novita"))

    assert default_choice(alice, has_key=False) == ModelChoice(router.pk, QWEN, "novita")


def test_default_model_goes_before_the_last_one(router: Endpoint, local: Endpoint, alice: User) -> None:
    remember_choice(alice, ModelChoice(router.pk, QWEN))
    alice.default_model = f"{LLAMA}:cheapest"

    assert default_choice(alice, has_key=True) == ModelChoice(router.pk, LLAMA, "cheapest")


def test_default_that_is_gone_is_passed_over(router: Endpoint, local: Endpoint, tgi: Endpoint, alice: User) -> None:
    alice.default_model = "lab@lab/tuned:v2"
    Endpoint.objects.filter(pk=tgi.pk).update(enabled=False)

    assert default_choice(alice, has_key=False) == ModelChoice(local.pk, SMOL)


@override_settings(LOCAL_MODEL=False)
def test_without_key_and_local_model_the_usual_model_is_shown(router: Endpoint, alice: User) -> None:
    assert default_choice(alice, has_key=False) == ModelChoice(router.pk, DEFAULT_MODEL)


def test_without_any_endpoint_a_choice_is_given_all_the_same(alice: User) -> None:
    assert default_choice(alice, has_key=False) == ModelChoice(None, DEFAULT_MODEL)
