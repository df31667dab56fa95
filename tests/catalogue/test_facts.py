"""A list of models is somebody else's data: what is right is read, the rest is dropped, nothing raises."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.catalogue.facts import MAX_MODELS, OfferFacts, parse_models
from tests.catalogue.lists import LLAMA, QWEN, ROUTER_LIST, answer, model, provider

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
offered = st.fixed_dictionaries(
    {},
    optional={
        "provider": anything | st.just("cerebras"),
        "status": anything,
        "context_length": anything,
        "pricing": anything | st.fixed_dictionaries({}, optional={"input": anything, "output": anything}),
        "is_free": anything,
        "supports_tools": anything,
        "supports_structured_output": anything,
        "first_token_latency_ms": anything,
        "throughput": anything,
    },
)
entries = st.fixed_dictionaries(
    {"id": anything | st.just("org/name")},
    optional={
        "architecture": anything | st.fixed_dictionaries({}, optional={"input_modalities": anything}),
        "created": anything,
        "providers": anything | st.lists(offered, max_size=3),
    },
)


def facts_of(**fields: Any) -> OfferFacts:
    """The one offer of a list whose only provider says this."""
    [facts] = parse_models(answer(model(LLAMA, provider("cerebras", **fields))))
    return facts


def test_router_list_gives_one_offer_for_each_provider() -> None:
    facts = parse_models(ROUTER_LIST)

    assert [(fact.model_id, fact.provider) for fact in facts] == [
        (LLAMA, "cerebras"),
        (LLAMA, "together"),
        (LLAMA, "free-cloud"),
        (QWEN, "novita"),
    ]


def test_every_fact_of_an_offer_is_read() -> None:
    facts = parse_models(answer(model(QWEN, provider("novita"), modalities=("text", "image"))))

    assert facts == [
        OfferFacts(
            model_id=QWEN,
            provider="novita",
            status="live",
            context_length=131072,
            input_price=Decimal("0.05"),
            output_price=Decimal("0.08"),
            supports_tools=True,
            supports_structured_output=False,
            first_token_ms=210.5,
            tokens_per_second=142.0,
            reads_images=True,
            released_at=datetime(2024, 7, 23, tzinfo=UTC),
        )
    ]


def test_plain_openai_list_gives_one_offer_for_each_model() -> None:
    listed = {"object": "list", "data": [{"id": "tgi-model", "object": "model", "created": 0, "owned_by": "me"}]}

    assert parse_models(listed) == [OfferFacts(model_id="tgi-model")]


def test_context_length_of_vllm_is_read() -> None:
    [facts] = parse_models(answer({"id": "own/model", "max_model_len": 32768}))

    assert facts.context_length == 32768


def test_provider_that_says_only_its_name_is_kept_with_unknown_facts() -> None:
    [facts] = parse_models(answer(model(LLAMA, {"provider": "featherless-ai", "status": "live"})))

    assert (facts.input_price, facts.context_length, facts.supports_tools) == (None, None, None)


@pytest.mark.parametrize("price", [-0.01, "0.05", True, float("nan"), float("inf"), 10**400, None, [0.05]])
def test_price_that_is_none_is_dropped(price: object) -> None:
    facts = facts_of(pricing={"input": price, "output": 0.5})

    assert (facts.input_price, facts.output_price) == (None, Decimal("0.5"))


@pytest.mark.parametrize("length", [0, -1, "128k", True, 10**12, float("nan")])
def test_context_length_that_is_none_is_dropped(length: object) -> None:
    assert facts_of(context_length=length).context_length is None


def test_unknown_status_counts_as_live() -> None:
    assert facts_of(status="brand-new").status == "live"


@pytest.mark.parametrize(
    "hub_id", ["", "two words", "a\nb", "right\u202eto-left", "\ud800", "x" * 201, 7, None, ["org/name"]]
)
def test_model_whose_name_cannot_be_one_is_left_out(hub_id: object) -> None:
    listed = {"data": [{"id": hub_id}, {"id": "org/good"}]}

    assert [facts.model_id for facts in parse_models(listed)] == ["org/good"]


@pytest.mark.parametrize("name", ["fastest", "cheapest", "preferred", "", "a:b", "a b", "<b>", "x" * 61, None, 3])
def test_provider_whose_name_cannot_be_one_is_left_out(name: object) -> None:
    listed = answer(model(LLAMA, provider("cerebras"), provider("together") | {"provider": name}))

    assert [facts.provider for facts in parse_models(listed)] == ["cerebras"]


def test_model_that_writes_no_text_is_left_out() -> None:
    painter = model("org/painter", provider("novita"))
    painter["architecture"]["output_modalities"] = ["image"]

    assert parse_models(answer(painter)) == []


def test_provider_named_twice_counts_once() -> None:
    facts = parse_models(answer(model(LLAMA, provider("cerebras"), provider("cerebras", throughput=1.0))))

    assert [fact.tokens_per_second for fact in facts] == [142.0]


def test_no_more_models_are_read_than_anyone_lists() -> None:
    listed = {"data": [{"id": f"org/{number}"} for number in range(MAX_MODELS + 10)]}

    assert len(parse_models(listed)) == MAX_MODELS


@pytest.mark.parametrize(
    "wrong", [None, "models", 7, [], {}, {"data": None}, {"data": {"id": "x"}}, [[]], {"data": [1]}]
)
def test_answer_of_another_shape_holds_no_offers(wrong: object) -> None:
    assert parse_models(wrong) == []


@given(st.lists(entries, max_size=3))
def test_wild_lists_give_only_facts_that_can_be_stored(listed: list[dict[str, Any]]) -> None:
    for facts in parse_models({"data": listed}):
        facts.model_id.encode()
        assert facts.context_length is None or 1 <= facts.context_length < 2**31
        assert all(price is None or 0 <= price < 10**6 for price in (facts.input_price, facts.output_price))
        assert json.dumps([facts.first_token_ms, facts.tokens_per_second], allow_nan=False)
