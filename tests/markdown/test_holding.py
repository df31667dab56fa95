"""Which beginnings of a line, and which pieces of a sentence, wait for more."""

import pytest

from chat.markdown.holding import decided_length, is_settled, is_undecided


@pytest.mark.parametrize(
    "text",
    ["", "-", "- ", "1", "12.", "3) ", "#", "## ", "--", "**", "===", "> ", "> -", "```", "```python", "~~", "- ["]
    + ["- [x]", "| a | b |", "| a |\n|--", "$$\na", "\\[\nx", "**bold", "see [this](https://exa"],
)  # fmt: skip
def test_a_line_that_may_become_something_else_waits(text: str) -> None:
    assert is_undecided(text)


@pytest.mark.parametrize(
    "text",
    ["a", "- a", "1990 was", "# T", "> q", "```\n", "- [x] d", "| a |\n|--|\n", "| a |\nb", "$$\na\n$$", "$$\na\n\nb"]
    + ["a\nb", "**b**", "-" * 700, "| " * 400, "$$" + "x" * 700, "*" + "x" * 200],
)  # fmt: skip
def test_a_line_whose_kind_is_plain_or_that_waited_long_enough_is_shown(text: str) -> None:
    assert not is_undecided(text)


@pytest.mark.parametrize("text", ["**a", "`a", "[a", "[a]", "[a](b", "$x", "\\(x", "\\", "<htt", "&am", "~~a", "_a"])
def test_markup_that_is_not_whole_is_unsettled(text: str) -> None:
    assert not is_settled(text)


@pytest.mark.parametrize(
    "text", ["**a**", "`a`", "[a] b", "[a](b)", "$x$", "\\(x\\)", "\\*", "<b> c", "&amp;", "a < b"]
)
def test_markup_that_is_whole_is_settled(text: str) -> None:
    assert is_settled(text)


@pytest.mark.parametrize(
    ("text", "length"),
    [("a\n- b", 5), ("a\n-", 2), ("a\n\n| b |", 3), ("a\n\\[\n- b", 2), ("$$\na\n$$", 7), ("-", 1), ("a\n$$\nx", 2)],
)
def test_the_undecided_lines_at_the_end_are_left_for_later(text: str, length: int) -> None:
    assert decided_length(text) == length
