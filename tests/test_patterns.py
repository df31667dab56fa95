"""The page of patterns shows every partial in every state."""

import re

import pytest

from chat.pattern import Pattern
from chat.patterns import STATES, patterns

ALL = patterns()


@pytest.mark.parametrize("pattern", ALL, ids=lambda pattern: pattern.title)
def test_a_pattern_shows_its_partial(pattern: Pattern) -> None:
    html = pattern.html.strip()

    assert re.match(r"<\w+[^>]*\sclass=\"[a-z-]+\"", html)
    assert "{%" not in html and "{{" not in html


def test_each_state_of_an_answer_has_its_own_look() -> None:
    answers = [pattern.html for pattern in ALL if pattern.template.endswith("_answer.html")]

    assert len(answers) == len(STATES) == len(set(answers))


def test_only_an_odd_end_is_explained() -> None:
    explained = {
        pattern.title.removeprefix("Answer: ")
        for pattern in ALL
        if pattern.template.endswith("_answer.html") and re.search(r"-notice\">\s*<(?!/)", pattern.html)
    }

    assert explained == {"stopped", "cut off at the limit", "nothing but thoughts", "interrupted", "failed"}


def test_what_a_model_writes_is_never_read_by_htmx() -> None:
    for pattern in ALL:
        for body in re.findall(r"<div [^>]*class=\"[\w-]+-body prose\"[^>]*>", pattern.html):
            assert "hx-disable" in body
