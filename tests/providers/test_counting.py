"""Tokens counted without a tokenizer: the worst a request may take, however it is put."""

from typing import Any

import pytest

from chat.providers.counting import MOST_TOKENS, estimated_prompt, estimated_tokens, worst_case

ASK = [{"role": "user", "content": "Why is the sea salty?"}]


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({}, 4096),
        ({"max_tokens": 100}, 100),
        ({"max_completion_tokens": 100}, 100),
        ({"max_tokens": 100, "max_completion_tokens": 900}, 900),
        ({"max_tokens": "100"}, 100),
        ({"max_tokens": 1e3}, 1000),
        ({"max_tokens": 0}, 4096),
        ({"max_tokens": -5}, 4096),
        ({"max_tokens": None}, 4096),
        ({"max_tokens": True}, 4096),
        ({"max_tokens": "many"}, 4096),
        ({"max_tokens": "1e400"}, 4096),
        ({"max_tokens": 10**30}, MOST_TOKENS),
        ({"max_tokens": 100, "n": 5}, 500),
        ({"max_tokens": 100, "n": "5", "best_of": 7}, 700),
        ({"n": 3}, 3 * 4096),
    ],
)
def test_an_answer_is_bounded_as_the_request_says(fields: dict[str, Any], answer: int) -> None:
    assert worst_case({"messages": ASK, **fields}, 4096).answer == answer


def test_all_that_the_model_reads_counts() -> None:
    plain = worst_case({"messages": ASK}, 1).prompt
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]

    assert worst_case({"messages": ASK, "tools": tools}, 1).prompt > plain
    assert worst_case({"messages": ASK * 2}, 1).prompt >= 2 * plain - 1
    assert worst_case({"messages": ASK, "temperature": 1}, 1).prompt == plain


def test_letters_of_other_scripts_count_for_more_than_a_quarter() -> None:
    assert estimated_tokens("海" * 300) > 2 * estimated_tokens("s" * 300)


def test_pictures_are_not_read_by_the_letter() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 90_000}}

    assert worst_case({"messages": [{"role": "user", "content": [picture]}]}, 1).prompt < 100


def test_a_worst_case_is_no_better_than_the_estimate() -> None:
    body = {"messages": ASK}

    assert 5 <= estimated_prompt(body) <= worst_case(body, 1).prompt
