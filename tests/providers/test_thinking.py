"""Thinking told from answer where both come as one text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.events import TextDelta, TextWasReasoning
from chat.providers.thinking import ThinkTags
from tests.providers.conftest import fold


def split(*pieces: str) -> tuple[str, str]:
    """Text and reasoning after these pieces."""
    tags = ThinkTags()
    events = [event for piece in pieces for event in tags.feed(piece)]
    return fold([*events, *tags.flush()])


@pytest.mark.parametrize(
    ("whole", "text", "reasoning"),
    [
        ("Hello", "Hello", ""),
        ("<think>a</think>b", "b", "a"),
        ("\n<think>\na\n</think>\n\nb\n", "b\n", "a\n"),
        ("<thinking>a</thinking>b", "b", "a"),
        ("<think>a</thinking> still</think>b", "b", "a</thinking> still"),
        ("<think></think>b", "b", ""),
        ("<think>\n\n</think>\n\nb", "b", ""),
        ("<think>never closed", "", "never closed"),
        ("</think>\n\nb", "b", ""),
        ("a\n</think>\n\nb", "b", "a\n"),
        ("a</think>", "", "a"),
        ("  ", "  ", ""),
        ("", "", ""),
        ("<thi", "<thi", ""),
        ("<think>a</think>b<think>c</think>d", "b<think>c</think>d", "a"),
        ("Use <think>x</think>\nfor that", "Use <think>x</think>\nfor that", ""),
        ("The `</think>` tag", "The `</think>` tag", ""),
        ("if a < b: <b>bold</b>", "if a < b: <b>bold</b>", ""),
        ("a</think>b</think>\nc", "a</think>b</think>\nc", ""),
    ],
)
def test_text_is_told_from_thinking(whole: str, text: str, reasoning: str) -> None:
    assert split(whole) == (text, reasoning)
    assert split(*whole) == (text, reasoning)


@given(
    st.lists(
        st.sampled_from(["<think>", "</think>", "<thinking>", "</thinking>", "\n", " ", "a", "<", "</", "thi", ">"])
    ).map("".join),
    st.data(),
)
def test_text_cut_anywhere_is_told_apart_the_same(whole: str, draw: st.DataObject) -> None:
    places = sorted(draw.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    pieces = [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]

    assert split(*pieces) == split(whole)


def test_ordinary_text_is_passed_on_at_once() -> None:
    tags = ThinkTags()

    assert tags.feed("Hello") == [TextDelta("Hello")]
    assert tags.feed(" <b>") == [TextDelta(" <b>")]


def test_endless_blanks_are_not_held_back_for_ever() -> None:
    tags = ThinkTags()

    events = [event for _ in range(200) for event in tags.feed(" " * 10)]

    assert len(fold(events)[0]) > 900


def test_separate_thinking_makes_a_closing_tag_in_the_text_mean_nothing() -> None:
    tags = ThinkTags()
    tags.feed("The tag is ")

    tags.stop_looking()

    assert TextWasReasoning() not in tags.feed("</think>\nindeed") + tags.flush()
