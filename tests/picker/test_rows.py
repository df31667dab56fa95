"""Which models a search finds, in which order, and what is said of each."""

from decimal import Decimal
from typing import Any

import pytest
from django.http import QueryDict

from chat.catalogue.choices import pick_choice
from chat.catalogue.models import Endpoint, ModelChoice
from chat.picker.forms import LAST_PAGE, Search, search_from
from chat.picker.rows import Row, found, rows_of
from tests.catalogue.lists import LLAMA, QWEN, ROUTER_LIST, answer, fill, model, provider
from tests.factories import make_endpoint, make_user

pytestmark = pytest.mark.django_db
MISTRAL = "mistralai/Mistral-7B-Instruct-v0.3"


@pytest.fixture
def router() -> Endpoint:
    slow = provider(
        "novita", throughput=5.0, context_length=8192, pricing={"input": 1, "output": 9}, supports_tools=None
    )
    return fill(make_endpoint("hf"), answer(*ROUTER_LIST["data"], model(MISTRAL, slow) | {"created": 1_800_000_000}))


def rows(router: Endpoint, search: Search) -> list[Row]:
    return found(search, {router.pk: router})[0]


def names(router: Endpoint, **search: Any) -> list[str]:
    return [row.choice.model_id for row in rows(router, Search(**search))]


def test_row_says_what_the_providers_of_a_model_offer_together(router: Endpoint) -> None:
    [row] = rows(router, Search(text=LLAMA))

    assert (row.offers, row.context_length, row.status, row.is_free) == (3, 131072, "live", True)
    assert (row.marks, row.tokens_per_second, row.output_price) == (("tools", "JSON"), 2000.0, Decimal(0))
    assert (row.name, row.organisation, row.value) == ("Llama-3.1-8B-Instruct", "meta-llama", f"hf@{LLAMA}")
    assert row.hub_url == f"https://huggingface.co/{LLAMA}"


def test_model_that_no_provider_serves_now_is_said_to_fail(router: Endpoint) -> None:
    [row] = rows(router, Search(text=QWEN))

    assert (row.status, row.marks) == ("failing", ("tools", "vision"))


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ({"text": "LLAMA"}, [LLAMA]),
        ({"text": "instruct 7b"}, [MISTRAL]),
        ({"text": f"hf@{LLAMA}:cerebras"}, [LLAMA]),
        ({"text": "nothing-like-it"}, []),
        ({"text": "%"}, []),
        ({"filters": ("vision",)}, [QWEN]),
        ({"filters": ("free",)}, [LLAMA]),
        ({"filters": ("json",)}, [LLAMA]),
        ({"filters": ("long",), "sort": "name"}, [QWEN, LLAMA]),
        ({"provider": "novita", "sort": "name"}, [QWEN, MISTRAL]),
        ({"provider": "novita", "filters": ("tools",)}, [QWEN]),
        ({"provider": "nobody"}, []),
    ],
)
def test_search_finds(router: Endpoint, search: dict[str, Any], expected: list[str]) -> None:
    assert names(router, **search) == expected


def test_all_filters_must_fit_the_same_offer(router: Endpoint) -> None:
    assert names(router, filters=("tools", "json")) == []


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", [MISTRAL, QWEN, LLAMA]),
        ("new", [MISTRAL, QWEN, LLAMA]),
        ("name", [QWEN, LLAMA, MISTRAL]),
        ("price", [LLAMA, QWEN, MISTRAL]),
        ("speed", [LLAMA, QWEN, MISTRAL]),
        ("context", [QWEN, LLAMA, MISTRAL]),
    ],
)
def test_list_is_ordered(router: Endpoint, sort: str, expected: list[str]) -> None:
    assert names(router, sort=sort) == expected


def test_names_that_begin_with_the_text_come_first(router: Endpoint) -> None:
    fill(router, answer(*(model(name, provider("a")) for name in ("a/DeepSeek-Llama", "z/Llama-4", "b/x"))))

    assert names(router, text="llama") == ["z/Llama-4", "a/DeepSeek-Llama"]


@pytest.mark.parametrize("text", ["llama", "qwen", "instruct", "meta", "7b"])
def test_enter_picks_the_row_that_stands_first(router: Endpoint, text: str) -> None:
    assert rows(router, Search(text=text))[0].choice == pick_choice(text, make_user())


def test_pages_together_hold_each_model_once(router: Endpoint) -> None:
    fill(router, answer(*(model(f"org/model-{number:02}", provider("a"), provider("b")) for number in range(25))))

    pages = [found(Search(page=page), {router.pk: router}, rows_at_once=10) for page in range(3)]

    seen = [row.choice.model_id for page, _ in pages for row in page]
    assert seen == [f"org/model-{number:02}" for number in range(25)]
    assert [more for _, more in pages] == [True, True, False]


def test_recent_choice_of_an_unlisted_model_is_shown_without_facts(router: Endpoint) -> None:
    choice = ModelChoice(router.pk, "org/secret", "novita")

    [row] = rows_of([choice], {router.pk: router}, Search())

    assert (row.value, row.name, row.context_length, row.status) == ("hf@org/secret:novita", "secret:novita", None, "")


def test_recent_choice_of_one_provider_shows_that_providers_facts(router: Endpoint) -> None:
    choices = [ModelChoice(router.pk, LLAMA, "together"), ModelChoice(router.pk, LLAMA, "cheapest")]

    one, several = rows_of(choices, {router.pk: router}, Search())

    assert (one.offers, one.marks, one.tokens_per_second, one.is_free) == (1, ("JSON",), 142.0, False)
    assert (several.offers, several.marks, several.tokens_per_second, several.is_free) == (
        3,
        ("tools", "JSON"),
        2000.0,
        True,
    )


def test_recent_choice_says_the_same_as_the_row_of_its_model(router: Endpoint) -> None:
    [listed] = rows(router, Search(text=LLAMA))

    assert rows_of([ModelChoice(router.pk, LLAMA)], {router.pk: router}, Search()) == [listed]


def test_recent_choices_are_searched_and_filtered_like_the_rest(router: Endpoint) -> None:
    choices = [ModelChoice(router.pk, LLAMA, "fastest"), ModelChoice(router.pk, QWEN), ModelChoice(None, "gone")]

    def recent(**search: Any) -> list[str]:
        return [row.choice.wire_id for row in rows_of(choices, {router.pk: router}, Search(**search))]

    assert recent() == [f"{LLAMA}:fastest", QWEN]
    assert recent(text="qwen") == [QWEN]
    assert recent(filters=("free",)) == [f"{LLAMA}:fastest"]


def test_model_elsewhere_is_named_with_its_endpoint() -> None:
    lab = fill(make_endpoint("lab", kind="openai", base_url="http://gpu:1", label="Lab"), answer({"id": "org/m"}))

    [row] = rows(lab, Search())

    assert (row.value, row.text, row.organisation, row.hub_url) == ("lab@org/m", "lab@org/m", "Lab", "")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "q=+llama+&filter=tools&filter=json&provider=novita&sort=speed&page=2",
            Search("llama", ("tools", "json"), "novita", "speed", 2),
        ),
        ("q=llama&filter=nonsense", Search("llama")),
        ("sort=nonsense&q=a", Search("a")),
        ("page=-1&q=a", Search("a")),
        (f"page={LAST_PAGE + 1}", Search()),
        ("page=x&provider=%3Cb%3E", Search()),
        ("q=" + "x" * 700, Search()),
        ("q=a%00b", Search()),
        ("", Search()),
    ],
)
def test_search_is_read_leniently(query: str, expected: Search) -> None:
    assert search_from(QueryDict(query)) == expected
