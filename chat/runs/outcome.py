"""How a run ended, as plain values: what the worker and the reaper hand to ``actions.settle_run`` to be stored."""

import json
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from chat.markdown import RENDERER_VERSION, render
from chat.providers.counting import estimated_prompt, estimated_tokens
from chat.providers.errors import ProviderError
from chat.runs.draft import Draft
from chat.runs.models import Run

MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Failure:
    """Why there is no (whole) answer: a slug, a sentence for people, the raw response, and what may help."""

    kind: str
    sentence: str
    raw: str = ""
    remedies: tuple[str, ...] = ()
    parameter: str = ""

    @classmethod
    def from_error(cls, error: ProviderError) -> "Failure":
        return cls(error.kind, error.sentence, error.raw, tuple(error.remedies), error.parameter)


INTERRUPTED = Failure(
    "interrupted",
    "The server stopped while this was being written. The text so far is kept.",
    remedies=("continue", "retry"),
)


@dataclass(frozen=True)
class Outcome:
    """The final fields of a run. ``fields`` are columns of Run; ``tokens`` counts what came, whoever counted."""

    status: Run.Status
    fields: dict[str, Any] = field(default_factory=dict)
    tokens: int = 0


def outcome_of(draft: Draft, status: Run.Status, failure: Failure | None = None) -> Outcome:
    """Everything the draft knows, rendered. The draft must have ended."""
    meter = draft.meter()
    fields: dict[str, Any] = {
        "text": draft.text,
        "reasoning": draft.reasoning,
        "html": draft.body.final_html,
        "reasoning_html": draft.thoughts.final_html,
        "renderer_version": RENDERER_VERSION,
        "tool_calls": draft.tool_calls_json(),
        "logprobs": [asdict(token) for token in draft.logprobs],
        "first_token_seconds": meter.first_token_seconds,
        "reasoning_seconds": draft.reasoning_seconds(),
        "elapsed_seconds": meter.elapsed_seconds,
        "tokens_per_second": meter.tokens_per_second,
        **_reported(draft),
        **_failed(failure, can_continue=bool(draft.prefix or draft.text)),
    }
    return Outcome(status, fields, meter.tokens)


def outcome_of_remains(
    run: Run, status: Run.Status, text: str, reasoning: str, failure: Failure | None = None
) -> Outcome:
    """What is left of a run whose process is gone: the journal's text, rendered."""
    fields: dict[str, Any] = {
        "text": text,
        "reasoning": reasoning,
        "html": render(run.prefix + text),
        "reasoning_html": render(reasoning),
        "renderer_version": RENDERER_VERSION,
        **_failed(failure, can_continue=bool(run.prefix or text)),
    }
    return Outcome(status, fields)


def figures_of(run: Run, outcome: Outcome) -> dict[str, Any]:
    """Tokens and US dollars of an end: what the provider reported, else an estimate that is marked as one.

    What never began, or was refused before a word came, took nothing that is known.
    """
    prompt, answer = outcome.fields.get("prompt_tokens"), outcome.fields.get("completion_tokens")
    estimated = None
    if (prompt is None or answer is None) and run.started_at is not None:
        calls = [call.get("arguments", "") for call in outcome.fields.get("tool_calls", ())]
        texts = [outcome.fields.get("text", ""), outcome.fields.get("reasoning", ""), *calls]
        if any(texts) or outcome.status != Run.Status.FAILED:
            estimated = True
            prompt = estimated_prompt(_body(run)) if prompt is None else prompt
            answer = estimated_tokens(*texts) if answer is None else answer
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "cost": cost_of(run, prompt, answer),
        "usage_estimated": estimated,
    }


def _body(run: Run) -> dict[str, Any]:
    """What was asked; nothing where an earlier version wrote it otherwise. That must keep no run from ending."""
    asked: dict[str, Any] = json.loads(run.request or "{}")
    return dict(asked.get("body", {}))


def cost_of(run: Run, prompt_tokens: int | None, completion_tokens: int | None) -> Decimal | None:
    """US dollars at the prices that held when the run began; None where one is not known, or the sum is absurd."""
    if run.input_price is None or run.output_price is None or prompt_tokens is None or completion_tokens is None:
        return None
    cost = (run.input_price * prompt_tokens + run.output_price * completion_tokens) / MILLION
    return cost if cost < MILLION else None


def _reported(draft: Draft) -> dict[str, Any]:
    usage, identity, response = draft.usage, draft.identity, draft.response
    return {
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
        "reasoning_tokens": usage.reasoning_tokens if usage else None,
        "cached_tokens": usage.cached_tokens if usage else None,
        "finish_reason": draft.finished.reason[:40] if draft.finished else "",
        "response_id": identity.response_id[:200] if identity else "",
        "answered_model": identity.model[:300] if identity else "",
        "system_fingerprint": identity.system_fingerprint[:200] if identity else "",
        "served_by": response.served_by[:60] if response else "",
        "response_headers": dict(response.headers) if response else {},
    }


def _failed(failure: Failure | None, can_continue: bool) -> dict[str, Any]:
    if failure is None:
        return {}
    remedies = [remedy for remedy in failure.remedies if remedy != "continue"]
    return {
        "error_kind": failure.kind[:40],
        "error_sentence": failure.sentence,
        "error_raw": failure.raw,
        "error_remedies": ["continue", *remedies] if can_continue else remedies,
        "error_parameter": failure.parameter[:60],
    }
