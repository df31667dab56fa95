"""The work and the bytes for each character of an answer do not grow with its length: counted, not timed."""

from collections.abc import Callable

import pytest

from chat.markdown.ops import op_markup
from chat.markdown.stream import CREDIT_PER_CHARACTER, CREDIT_SAVED, BlockStream
from tests.markdown.samples import chunks

PROSE = "The sea is wide and old, and it's never the same twice; people have said so for ages. "
ANSWERS: dict[str, Callable[[int], str]] = {
    "prose": lambda n: (PROSE * 4 + "\n\n") * (n // 350),
    "prose without a break": lambda n: PROSE * (n // len(PROSE)),
    "prose with hard lines": lambda n: (PROSE + "\n") * (n // len(PROSE)),
    "emphasised prose": lambda n: "Some **bold words** and `code` and *more of it*, too. " * (n // 55),
    "stars": lambda n: "a * b ** c " * (n // 11),
    "money": lambda n: "it costs $5 and then _some " * (n // 27),
    "a list": lambda n: "- **Item**: with a few words about it\n" * (n // 39),
    "a loose list": lambda n: "1. An item with a few words about it\n\n" * (n // 39),
    "a nested list": lambda n: "- outer item\n  - inner item here\n    - third one\n" * (n // 51),
    "one item with a long list in it": lambda n: "- outer item\n" + "  - inner item here\n" * (n // 20),
    "a deep list": lambda n: "".join("  " * (i % 9) + "- word word word\n" for i in range(n // 32)),
    "a table": lambda n: "| a | b |\n|---|---|\n" + "| one | **two** of them |\n" * (n // 26),
    "code": lambda n: "```python\n" + "value = compute(1, 'two')  # and so on\n" * (n // 39) + "```\n",
    "code in a list": lambda n: "1. Look:\n   ```sh\n" + "   echo one two three | sort\n" * (n // 29) + "   ```\n",
    "a quote": lambda n: "> words in a quote that goes on\n" * (n // 32),
    "lines that begin with numbers": lambda n: "1990 was a year with words\n" * (n // 27),
    "indented code": lambda n: "    value = 1 and so on\n" * (n // 24),
    "blank lines": lambda n: "\n" * n,
    "spaces": lambda n: "a " + " " * n,
    "dollars": lambda n: "$$\n" * (n // 3),
    "link definitions": lambda n: "[a]: https://example.org/b\n" * (n // 27),
}  # fmt: skip


def cost(text: str) -> tuple[int, int]:
    """Return the characters parsed and the bytes sent while text streams, 8 characters to a frame."""
    parsed: list[int] = []
    stream = BlockStream(parsed.append)
    sent = cursor = 0
    for piece in chunks(text, [8]):
        stream.feed(piece)
        stream.advance()
        ops = stream.ops_since(cursor)
        assert ops is not None
        sent += sum(len(op_markup("a", op)) for op in ops)
        cursor = stream.cursor
    stream.finish()
    return sum(parsed), sent


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_character_of_a_long_answer_costs_what_one_of_a_short_answer_does(kind: str) -> None:
    short, long = ANSWERS[kind](5_000), ANSWERS[kind](50_000)

    short_parsed, short_sent = cost(short)
    long_parsed, long_sent = cost(long)

    assert long_parsed / len(long) <= 1.5 * max(short_parsed / len(short), 1)
    assert long_sent / len(long) <= 1.5 * max(short_sent / len(short), 1)


@pytest.mark.parametrize(
    "text", ["[" * 3_000, "*a _b" * 1_000, "> [a](\n" * 1_000, "- a\n\n  1. [\n" * 500, "``a" * 1_500]
)
def test_hostile_text_has_no_more_parsed_than_it_has_earned(text: str) -> None:
    parsed, _ = cost(text)

    # Each character may be rendered once more by itself, and once at the end.
    assert parsed <= (CREDIT_PER_CHARACTER + 2) * len(text) + CREDIT_SAVED
