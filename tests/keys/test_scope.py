"""What a grant allows is asked, nothing beside it: models and providers by pattern, policies held among them."""

import pytest

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, LanguageModel, ModelChoice, Offer
from chat.keys.errors import NotGranted
from chat.keys.models import KeyGrant
from chat.keys.scope import fits, patterns, route
from tests.factories import make_endpoint, make_shared_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(alice: User, router: Endpoint) -> KeyGrant:
    make_shared_key(router, alice)
    return KeyGrant.objects.select_related("shared_key").get()


def offer(router: Endpoint, provider: str, price: str, speed: float, model: str = "Qwen/Qwen3-8B") -> Offer:
    language_model, _ = LanguageModel.objects.get_or_create(hub_id=model)
    return Offer.objects.create(
        endpoint=router,
        language_model=language_model,
        provider=provider,
        input_price=price,
        output_price=price,
        tokens_per_second=speed,
    )


def allowed(grant: KeyGrant, router: Endpoint, model: str, provider: str = "") -> str:
    return route(grant, router, ModelChoice(router.pk, model, provider), Offer.objects.all()).choice.wire_id


@pytest.mark.parametrize(
    ("name", "text", "fitting"),
    [
        ("Qwen/Qwen3-8B", "*", True),
        ("Qwen/Qwen3-8B", "Qwen/*", True),
        ("Qwen/Qwen3-8B", "qwen/qwen3-8b", True),
        ("Qwen/Qwen3-8B", "Qwen", False),
        ("Qwen/Qwen3-8B", "meta-llama/*\n\n Qwen/* ", True),
        ("Qwen/Qwen3-8B", "meta-llama/*, *-8b", True),
        ("evil/Qwen/Qwen3-8B", "Qwen/*", False),
        ("Qwen/Qwen3-8B", "", False),
        ("Qwen/Qwen3-8B", " \n,", False),
    ],
)
def test_names_fit_patterns(name: str, text: str, fitting: bool) -> None:
    assert fits(name, text) == fitting


def test_patterns_stand_on_lines_or_between_commas() -> None:
    assert patterns("a/*\n b , c,,\na/*") == ("a/*", "b", "c")


def test_a_model_that_no_pattern_names_is_refused_by_name(grant: KeyGrant, router: Endpoint) -> None:
    grant.model_patterns = "Qwen/*"

    assert allowed(grant, router, "Qwen/Qwen3-8B") == "Qwen/Qwen3-8B"
    with pytest.raises(NotGranted, match=r"Team key …cd34 may not be used for Llama-3\.1-8B-Instruct\. "):
        allowed(grant, router, "meta-llama/Llama-3.1-8B-Instruct")


@pytest.mark.parametrize(
    ("policy", "named"),
    [("", "groq"), ("fastest", "groq"), ("preferred", "groq"), ("cheapest", "novita")],
)
def test_a_policy_stays_among_the_allowed_providers(grant: KeyGrant, router: Endpoint, policy: str, named: str) -> None:
    grant.provider_patterns = "groq\nnovita"
    offer(router, "cerebras", "0.01", speed=2000)
    offer(router, "groq", "0.50", speed=500)
    offer(router, "novita", "0.10", speed=50)

    assert allowed(grant, router, "Qwen/Qwen3-8B", policy) == f"Qwen/Qwen3-8B:{named}"


@pytest.mark.parametrize("policy", ["", "fastest", "cheapest", "preferred"])
def test_a_policy_that_ends_at_no_allowed_provider_is_refused(grant: KeyGrant, router: Endpoint, policy: str) -> None:
    grant.provider_patterns = "groq"
    offer(router, "cerebras", "0.01", speed=2000)

    with pytest.raises(NotGranted, match="may only be used with groq, and none of them lists Qwen3-8B"):
        allowed(grant, router, "Qwen/Qwen3-8B", policy)


def test_a_provider_that_is_named_must_be_allowed(grant: KeyGrant, router: Endpoint) -> None:
    grant.provider_patterns = "groq"

    assert allowed(grant, router, "Qwen/Qwen3-8B", "groq") == "Qwen/Qwen3-8B:groq"
    with pytest.raises(NotGranted, match="may not be used for Qwen3-8B with cerebras"):
        allowed(grant, router, "Qwen/Qwen3-8B", "cerebras")


def test_no_provider_hides_in_the_name_of_a_model(grant: KeyGrant, router: Endpoint) -> None:
    grant.provider_patterns = "groq"

    with pytest.raises(NotGranted):
        allowed(grant, router, "Qwen/Qwen3-8B:cerebras", "groq")


def test_where_everything_is_allowed_the_router_chooses(grant: KeyGrant, router: Endpoint) -> None:
    dear, fast = offer(router, "dear", "9", speed=1), offer(router, "fast", "1", speed=900)

    taken = route(grant, router, ModelChoice(router.pk, "Qwen/Qwen3-8B", "fastest"), Offer.objects.all())

    assert (taken.choice.wire_id, taken.offer, taken.dearest) == ("Qwen/Qwen3-8B:fastest", fast, dear)


def test_endpoints_without_a_router_have_no_providers_to_restrict(grant: KeyGrant) -> None:
    grant.provider_patterns = "groq"
    tgi = make_endpoint("tgi", kind=Endpoint.Kind.TGI, base_url="https://tgi.example")

    assert allowed(grant, tgi, "tgi") == "tgi"
