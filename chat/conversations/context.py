"""Estimates before sending: how much of the context a message takes, and the most that it can cost.

No tokenizer: four characters a token is what English amounts to, and the answers' own usage corrects it wherever a
provider has reported one. Everything here is a figure to look at, never a limit that is enforced.
"""

from dataclasses import dataclass
from decimal import Decimal

from chat.catalogue.models import Offer
from chat.conversations.models import Lane, Message

CHARACTERS_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4
# What is assumed of an answer where neither the person nor the offer bounds it.
UNBOUNDED_ANSWER = 4096


@dataclass(frozen=True, slots=True)
class Estimate:
    """Tokens of context a send would take, the offer's length (None: unknown), and the most it costs in US dollars and
    takes in tokens, its answer included."""

    used: int
    length: int | None
    most_cost: Decimal | None
    most_tokens: int = 0

    @property
    def too_long(self) -> bool:
        return self.length is not None and self.used > self.length


def estimate(lane: Lane, path: list[Message], offer: Offer | None, typed: str, fallback_length: int | None) -> Estimate:
    """For one lane: what its path, its system prompt and the typed text amount to."""
    used = _tokens_of_path(path, lane) + _tokens(typed)
    length = (offer.context_length if offer else None) or fallback_length
    limit = lane.parameters.get("max_tokens")
    answer = limit if isinstance(limit, int) else min(UNBOUNDED_ANSWER, max(0, (length or UNBOUNDED_ANSWER) - used))
    return Estimate(used, length, offer.cost(used, answer) if offer else None, used + answer)


def _tokens_of_path(path: list[Message], lane: Lane) -> int:
    """What the last reported usage says, and an estimate for whatever came after it."""
    since, known = path, 0
    for index in range(len(path) - 1, -1, -1):
        run = path[index].run
        if run is not None and run.counted_tokens is not None:
            since, known = path[index + 1 :], run.counted_tokens
            break
    counted = sum(_tokens(message.text) for message in since)
    return known + counted + (0 if known else _tokens(lane.system_prompt))


def _tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN) + TOKENS_PER_MESSAGE if text else 0
