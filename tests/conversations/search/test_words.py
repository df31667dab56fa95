"""What is typed into the search box is read, found in texts, and shown marked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.conversations.search.words import (
    EXCERPT_LENGTH,
    Piece,
    Query,
    Term,
    excerpt,
    folded,
    marked,
    parse,
    spaced,
)


def shown(pieces: tuple[Piece, ...]) -> str:
    """Pieces in one line, what is marked in brackets."""
    return "".join(f"[{piece.text}]" if piece.marked else piece.text for piece in pieces)


@pytest.mark.parametrize(
    "typed, wanted, unwanted",
    [
        ("moon tide ", [Term(("moon",)), Term(("tide",))], []),
        ("moon tid", [Term(("moon",)), Term(("tid",), prefix=True)], []),
        ("m", [Term(("m",))], []),
        ('"the moon" ', [Term(("the", "moon"))], []),
        ('"the moon"', [Term(("the", "moon"))], []),
        ("“the moon”", [Term(("the", "moon"))], []),
        ('"the mo', [Term(("the", "mo"), prefix=True)], []),
        ("moon -tide", [Term(("moon",))], [Term(("tide",))]),
        ('moon -"the tide"', [Term(("moon",))], [Term(("the", "tide"))]),
        ("to_file.py ", [Term(("to", "file", "py"))], []),
        ("東京 ", [Term(("東", "京"))], []),
        ("gpt-4 ", [Term(("gpt", "4"))], []),
        ('- \x00 * 🎉 ""', [], []),
    ],
)
def test_typed_words_are_read(typed: str, wanted: list[Term], unwanted: list[Term]) -> None:
    assert parse(typed) == Query(tuple(wanted), tuple(unwanted))


@pytest.mark.parametrize(
    "text, typed, expected",
    [
        ("The Moon and the tides", "tid moon ", "The [Moon] and the tides"),
        ("The Moon and the tides", "moon tid", "The [Moon] and the [tid]es"),
        ("Ein Café", "cafe ", "Ein [Café]"),
        ("Ein Café", "CAFÉ ", "Ein [Café]"),
        ("東京の天気", "天気 ", "東京の[天気]"),
        ("the **moon** pulls", '"moon pulls" ', "the [**moon** pulls]".replace("[**moon", "**[moon")),
        ("<mark>moon</mark>", "moon ", "<mark>[moon]</mark>"),
        ("moonlight", "moon ", "moonlight"),
    ],
)
def test_what_is_wanted_is_marked(text: str, typed: str, expected: str) -> None:
    assert shown(marked(text, parse(typed))) == expected


def test_excerpt_shows_the_place_that_has_most_of_it() -> None:
    text = "moon " + "nothing here " * 100 + "the **moon** pulls\n\n- the `tides` " + "and then " * 100

    line = shown(excerpt(text, parse("moon tides ")))

    assert line.startswith("… ")
    assert "the [moon] pulls - the [tides] and then" in line
    assert line.endswith("…")


def test_excerpt_of_a_text_that_shows_none_of_it_is_its_beginning() -> None:
    assert shown(excerpt("Only the index has it.", parse("x "))) == "Only the index has it."


@given(st.text(), st.text())
def test_marking_loses_and_adds_nothing(text: str, typed: str) -> None:
    assert "".join(piece.text for piece in marked(text, parse(typed))) == text


@given(st.text(max_size=2_000), st.text())
def test_excerpts_stay_short(text: str, typed: str) -> None:
    assert len("".join(piece.text for piece in excerpt(text, parse(typed)))) <= EXCERPT_LENGTH + len("… …")


@given(st.text())
def test_folding_moves_nothing(text: str) -> None:
    assert len(folded(text)) == len(text)


@given(st.text(alphabet=st.sampled_from("ab 東京ก한é"), max_size=30))
def test_characters_of_unspaced_languages_are_set_apart(text: str) -> None:
    assert spaced(text).split() == [
        word for word in spaced(text).split() if len(word) == 1 or word.isascii() or "é" in word
    ]
