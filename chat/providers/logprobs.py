"""Reads the log probabilities of an answer, in the chat format and in the older completion format.

Used by `decoding`. Tokens without a finite figure are left out: there is nothing to show for them.
"""

from collections.abc import Iterator
from typing import Any

from chat.providers.events import LogprobsDelta, TokenLogprob
from chat.providers.wild_json import LABEL_LENGTH, mapping, number, sequence, text

MAX_ALTERNATIVES = 20


def read_logprobs(value: object) -> Iterator[LogprobsDelta]:
    """At most one event with the tokens in a choice's `logprobs`."""
    body = mapping(value)
    found = _chat(body) if "content" in body else _legacy(body)
    tokens = tuple(token for token in found if token is not None)
    if tokens:
        yield LogprobsDelta(tokens)


def _chat(body: dict[str, Any]) -> Iterator[TokenLogprob | None]:
    return (_token(mapping(item)) for item in sequence(body["content"]))


def _token(item: dict[str, Any]) -> TokenLogprob | None:
    logprob = number(item.get("logprob"))
    if logprob is None or not isinstance(item.get("token"), str):
        return None
    alternatives = (mapping(other) for other in sequence(item.get("top_logprobs"))[:MAX_ALTERNATIVES])
    return TokenLogprob(
        _short(item["token"]), logprob, _pairs((a.get("token"), a.get("logprob")) for a in alternatives)
    )


def _legacy(body: dict[str, Any]) -> Iterator[TokenLogprob]:
    """Three lists side by side: tokens, their figures, and for each a map of alternatives."""
    tops = sequence(body.get("top_logprobs"))
    for place, (token, logprob) in enumerate(
        zip(sequence(body.get("tokens")), sequence(body.get("token_logprobs")), strict=False)
    ):
        figure = number(logprob)
        if isinstance(token, str) and figure is not None:
            top = mapping(tops[place]) if place < len(tops) else {}
            yield TokenLogprob(_short(token), figure, _pairs(list(top.items())[:MAX_ALTERNATIVES]))


def _pairs(items: Any) -> tuple[tuple[str, float], ...]:
    pairs = ((token, number(logprob)) for token, logprob in items)
    return tuple((_short(token), logprob) for token, logprob in pairs if isinstance(token, str) and logprob is not None)


def _short(token: str) -> str:
    return text(token)[:LABEL_LENGTH]
