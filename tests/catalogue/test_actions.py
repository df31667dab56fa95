"""What the catalogue keeps: the built-in endpoints, the latest lists, the models a person chose lately."""

from decimal import Decimal
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from chat.catalogue.actions import (
    LOCAL_ADDRESS,
    RECENT_CHOICES_KEPT,
    ensure_endpoints,
    list_local_model,
    record_sync_error,
    remember_choice,
)
from chat.catalogue.choices import local_choice
from chat.catalogue.models import Endpoint, LanguageModel, ModelChoice, Offer, RecentChoice
from tests.catalogue.lists import LLAMA, QWEN, answer, fill, model, provider
from tests.factories import make_endpoint, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def with_local_model(settings: Settings, tmp_path: Path) -> None:
    settings.LOCAL_MODEL = True
    settings.LOCAL_MODEL_PATH = tmp_path / "Tiny-Q4.gguf"


def listed() -> set[tuple[str, str]]:
    return set(Offer.objects.listed().values_list("language_model__hub_id", "provider"))


def test_starting_twice_makes_each_built_in_endpoint_once(with_local_model: None) -> None:
    ensure_endpoints()
    ensure_endpoints()

    assert set(Endpoint.objects.values_list("slug", "kind", "needs_key")) == {
        ("hf", "router", True),
        ("local", "local", False),
    }


def test_router_is_where_the_settings_say(settings: Settings) -> None:
    ensure_endpoints()
    settings.HF_ROUTER_URL = "http://127.0.0.1:20001/v1"
    ensure_endpoints()

    assert Endpoint.objects.get(slug="hf").base_url == "http://127.0.0.1:20001/v1"


def test_router_that_moved_forgets_its_list(settings: Settings) -> None:
    ensure_endpoints()
    fill(Endpoint.objects.get(slug="hf"))
    settings.HF_ROUTER_URL = "http://127.0.0.1:20001/v1"

    ensure_endpoints()

    assert (listed(), Endpoint.objects.get(slug="hf").synced_at) == (set(), None)


def test_start_leaves_a_router_switched_off_and_its_list_alone() -> None:
    ensure_endpoints()
    router = fill(Endpoint.objects.get(slug="hf"))
    Endpoint.objects.filter(pk=router.pk).update(enabled=False)

    ensure_endpoints()

    again = Endpoint.objects.get(slug="hf")
    assert (again.enabled, again.synced_at) == (False, router.synced_at)
    assert Offer.objects.filter(withdrawn=False).exists()


def test_local_model_is_there_before_it_has_started(with_local_model: None) -> None:
    ensure_endpoints()

    choice = local_choice()
    assert choice is not None and choice.model_id == "Tiny-Q4"


def test_local_model_that_is_turned_off_is_not_offered(with_local_model: None, settings: Settings) -> None:
    ensure_endpoints()
    settings.LOCAL_MODEL = False

    ensure_endpoints()

    assert local_choice() is None


def test_local_model_that_started_has_its_context(with_local_model: None) -> None:
    ensure_endpoints()

    list_local_model("Tiny-Q4", 16384)

    offer = Offer.objects.listed().get()
    assert (offer.context_length, offer.is_free) == (16384, True)


def test_local_address_of_an_earlier_start_is_forgotten(with_local_model: None) -> None:
    ensure_endpoints()
    Endpoint.objects.filter(slug="local").update(base_url="http://127.0.0.1:20002/secret/v1")

    ensure_endpoints()

    assert Endpoint.objects.get(slug="local").base_url == LOCAL_ADDRESS


def test_local_model_takes_the_place_of_the_one_before(with_local_model: None) -> None:
    ensure_endpoints()

    list_local_model("Other-Q8", 4096)

    assert listed() == {("Other-Q8", "")}


def test_later_list_changes_what_the_earlier_said() -> None:
    router = fill(make_endpoint("hf"))

    fill(router, answer(model(LLAMA, provider("cerebras", pricing={"input": 1, "output": 2}, status="error"))))

    offer = Offer.objects.listed().get()
    assert (offer.input_price, offer.output_price, offer.status) == (Decimal(1), Decimal(2), "error")


def test_offer_that_is_no_longer_listed_is_withdrawn_and_can_come_back() -> None:
    router = fill(make_endpoint("hf"))
    before = Offer.objects.get(provider="together").pk

    fill(router, answer(model(QWEN, provider("novita"))))
    withdrawn = listed()
    fill(router)

    assert withdrawn == {(QWEN, "novita")}
    assert Offer.objects.listed().get(provider="together").pk == before


def test_list_of_one_endpoint_leaves_those_of_others_alone() -> None:
    fill(make_endpoint("hf"))
    other = make_endpoint("lab", kind=Endpoint.Kind.OPENAI, base_url="http://gpu/v1")

    fill(other, answer({"id": "lab/model"}))

    assert {(LLAMA, "together"), ("lab/model", "")} < listed()


def test_only_the_router_says_what_a_model_can_see() -> None:
    fill(make_endpoint("hf"))
    other = make_endpoint("lab", kind=Endpoint.Kind.OPENAI, base_url="http://gpu/v1")

    fill(other, answer({"id": QWEN, "architecture": {"input_modalities": ["text"]}}))

    assert LanguageModel.objects.get(hub_id=QWEN).reads_images


def test_failed_sync_keeps_the_list_and_its_date() -> None:
    router = fill(make_endpoint("hf"))
    count = len(listed())

    record_sync_error(router, "Nothing answers. " + "x" * 1000)

    again = Endpoint.objects.get(pk=router.pk)
    assert (len(listed()), again.synced_at) == (count, router.synced_at)
    assert again.sync_error.startswith("Nothing answers.") and len(again.sync_error) == 300


def test_sync_that_works_again_clears_the_error() -> None:
    router = make_endpoint("hf")
    record_sync_error(router, "Nothing answers.")

    fill(router)

    assert router.sync_error == ""


def test_large_list_is_stored_whole() -> None:
    entries = [model(f"org/model-{number}", provider("a"), provider("b")) for number in range(700)]

    fill(make_endpoint("hf"), answer(*entries))

    assert Offer.objects.listed().count() == 1400


def test_chosen_model_is_remembered_once() -> None:
    alice, router = make_user(), make_endpoint("hf")

    for _ in range(2):
        remember_choice(alice, ModelChoice(router.pk, LLAMA, "fastest"))

    alice.refresh_from_db()
    assert alice.last_model == f"{LLAMA}:fastest"
    assert [recent.choice.wire_id for recent in alice.recent_choices.all()] == [f"{LLAMA}:fastest"]


def test_only_the_latest_choices_are_kept() -> None:
    alice, bob, router = make_user(), make_user("bob"), make_endpoint("hf")
    remember_choice(bob, ModelChoice(router.pk, "org/bobs"))

    for number in range(RECENT_CHOICES_KEPT + 3):
        remember_choice(alice, ModelChoice(router.pk, f"org/{number}"))

    kept = alice.recent_choices.order_by("used_at").values_list("model_id", flat=True)
    assert list(kept) == [f"org/{number}" for number in range(3, RECENT_CHOICES_KEPT + 3)]
    assert RecentChoice.objects.filter(user=bob).count() == 1
