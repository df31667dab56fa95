"""Answers of a wanted length in the shapes that models write: the worst for a renderer is one long container.

Deterministic, so that two runs stream the same characters.
"""

import itertools
from collections.abc import Iterator

SENTENCE = (
    "the answer depends on how much of the context a model can hold and on what the provider charges for it while "
    "smaller models often do well enough when a question is short and its words are plain"
)
WORDS = SENTENCE.split()
SHAPES = ("prose", "list", "code", "table", "mixed")


def text_of(shape: str, characters: int) -> str:
    """Markdown of exactly that many characters."""
    pieces = {"prose": _prose, "list": _list, "code": _code, "table": _table, "mixed": _mixed}[shape]()
    found: list[str] = []
    length = 0
    while length < characters:
        found.append(next(pieces))
        length += len(found[-1])
    return "".join(found)[:characters]


def _sentence(number: int, words: int) -> str:
    start = number * 7
    chosen = [WORDS[(start + place) % len(WORDS)] for place in range(words)]
    chosen[words // 2] = f"**{chosen[words // 2]}**" if number % 3 == 0 else f"`{chosen[words // 2]}`"
    return " ".join(chosen).capitalize() + ". "


def _prose() -> Iterator[str]:
    for number in itertools.count(1):
        yield _sentence(number, 14) + ("\n\n" if number % 5 == 0 else "")


def _list() -> Iterator[str]:
    for number in itertools.count(1):
        yield f"{number}. {_sentence(number, 12)}\n"


def _code() -> Iterator[str]:
    yield "```python\n"
    for number in itertools.count(1):
        yield f"def step_{number}(values: list[int]) -> int:\n    # Next.\n    return sum(values) + {number}\n\n"


def _table() -> Iterator[str]:
    yield "| number | model | tokens | note |\n|---|---|---:|---|\n"
    for number in itertools.count(1):
        yield f"| {number} | model-{number % 17} | {number * 31} | {' '.join(WORDS[number % 9 : number % 9 + 4])} |\n"


def _mixed() -> Iterator[str]:
    """Sections of a few hundred characters each, as an answer to a question about code has them."""
    for number in itertools.count(1):
        yield f"## Part {number}\n\n{_sentence(number, 16)}{_sentence(number + 1, 14)}\n\n"
        yield "".join(f"- {_sentence(number + place, 9)}\n" for place in range(4)) + "\n"
        yield f"```python\nfor value in range({number}):\n    print(value * {number})\n```\n\n"
        yield "| a | b |\n|---|---|\n" + "".join(f"| {place} | {place * number} |\n" for place in range(4)) + "\n"
