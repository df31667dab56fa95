"""Counts tokens without a tokenizer: what a request may take at worst, and about what a text amounts to.

Each model cuts text in its own way; bytes tell more than letters, because a letter of most scripts beside the Latin
one takes three bytes and about a token. Pure, and never exact: whatever rests on it says so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# English has about four bytes a token; code and names have three and less.
BYTES_PER_TOKEN = 4
FEWEST_BYTES_PER_TOKEN = 3
TOKENS_PER_MESSAGE = 4
# No answer is as long, and no sum of such breaks a column.
MOST_TOKENS = 1_000_000_000
# How a bound is called, here and there; extra body fields can hold any of them.
BOUNDS = ("max_tokens", "max_completion_tokens", "max_new_tokens")
# How many answers one request asks for.
COPIES = ("n", "best_of")
# What of a request the model reads.
_READ = ("messages", "tools", "functions", "response_format", "guided_json")


@dataclass(frozen=True)
class WorstCase:
    """The most tokens that a request may take, in and out."""

    prompt: int
    answer: int

    @property
    def tokens(self) -> int:
        return self.prompt + self.answer


def worst_case(body: Mapping[str, Any], unbounded_answer: int) -> WorstCase:
    """What the body of a request may take; ``unbounded_answer`` tokens are reckoned with where it sets no bound."""
    messages = body.get("messages")
    count = len(messages) if isinstance(messages, list) else 0
    read = sum(len(text.encode()) for name in _READ for text in _texts(body.get(name)))
    bounds = [bound for bound in map(_whole, map(body.get, BOUNDS)) if bound]
    copies = max([1, *(_whole(body.get(name)) for name in COPIES)])
    answer = (max(bounds) if bounds else unbounded_answer) * copies
    prompt = -(-read // FEWEST_BYTES_PER_TOKEN) + count * TOKENS_PER_MESSAGE
    return WorstCase(min(prompt, MOST_TOKENS), min(answer, MOST_TOKENS))


def estimated_tokens(*texts: str) -> int:
    """About how many tokens some texts are."""
    return sum(-(-len(text.encode()) // BYTES_PER_TOKEN) for text in texts)


def estimated_prompt(body: Mapping[str, Any]) -> int:
    """About how many tokens the model read of a request."""
    messages = body.get("messages")
    count = len(messages) if isinstance(messages, list) else 0
    return estimated_tokens(*(text for name in _READ for text in _texts(body.get(name)))) + count * TOKENS_PER_MESSAGE


def _texts(value: object) -> Iterator[str]:
    """All texts in a piece of JSON, names of fields among them; pictures are not read by the letter."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, below in value.items():
            if name != "image_url":
                yield str(name)
                yield from _texts(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below)


def _whole(value: object) -> int:
    """A bound as a number, however it was written; 0 where it is none."""
    try:
        number = int(float(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0
    except (ValueError, OverflowError):
        return 0
    return min(max(number, 0), MOST_TOKENS)
