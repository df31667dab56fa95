"""Token events: what a provider's answer is made of, whatever shape it had on the wire.

These dataclasses are the only vocabulary above the wire. `decoding` and `client` make them; the engine folds them into
a draft. They carry no behaviour and never hold a secret.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResponseStarted:
    """The provider answered and its headers are here; always the first event.

    `headers` are the few worth keeping, lower-case names; `served_by` is the provider the router picked, or "".
    """

    status: int
    headers: dict[str, str]
    served_by: str


@dataclass(frozen=True, slots=True)
class Identified:
    """Who wrote the answer, as the answer itself says; comes when first seen and again when something changed."""

    response_id: str
    model: str
    system_fingerprint: str
    created: int | None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the answer. Never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """More of the model's thinking. Never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class TextWasReasoning:
    """All text of this answer so far was thinking: move it from the text to the end of the reasoning.

    Comes at most once. Some models write `</think>` without ever having opened it, so this is known only afterwards.
    """


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A fragment of the tool call number `index`: append `arguments`; a non-empty `id` or `name` replaces."""

    index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """One token with its log probability (natural logarithm, at most 0) and its best alternatives."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class LogprobsDelta:
    """Log probabilities of the next tokens of the answer, in order. Never empty."""

    tokens: tuple[TokenLogprob, ...]


@dataclass(frozen=True, slots=True)
class UsageReport:
    """Tokens used so far as counted by the provider; a later report replaces an earlier one. None is "not said"."""

    prompt_tokens: int | None
    completion_tokens: int | None
    reasoning_tokens: int | None
    cached_tokens: int | None


@dataclass(frozen=True, slots=True)
class Finished:
    """Why the model ended: `reason` is stop, length, tool_calls or content_filter, else the provider's own word.

    `raw_reason` is that word as it came, "" where the provider gave none. Usage may still follow.
    """

    reason: str
    raw_reason: str


TokenEvent = (
    ResponseStarted
    | Identified
    | TextDelta
    | ReasoningDelta
    | TextWasReasoning
    | ToolCallDelta
    | LogprobsDelta
    | UsageReport
    | Finished
)
