"""THE table of parameters: every knob a person can turn, declared once.

Form, validation, payload, snippets and documentation are derived from PARAMETERS; to add a knob, add a row. This module
reads what people type into values and back, and knows neither Django nor how the values travel.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chat.parameter_kinds import CONVERSIONS, Kind

NOT_SENT = "not sent"


class Group(StrEnum):
    """A section of the parameter drawer, in order."""

    MAIN = "Main"
    REPRODUCIBLE = "Reproducible"
    REPETITION = "Repetition"
    SAMPLING = "More sampling"
    PROBABILITIES = "Token probabilities"
    TRANSPORT = "Transport"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One knob.

    `minimum` and `maximum` are inclusive (for strings and headers: how many); `step` is for the slider only.
    `in_spec` is False where Hugging Face's chat completion specification does not name it and providers may ignore it.
    """

    name: str
    label: str
    kind: Kind
    group: Group
    help: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    in_spec: bool = True

    def read(self, text: str) -> Any:
        """The value typed as `text`, None for nothing. Raises ValueError with the end of a sentence."""
        if not text.strip(" \t\r\n"):
            return None
        value = CONVERSIONS[self.kind].read(text, (self.minimum, self.maximum), self.choices)
        return None if value == [] or value == {} else value

    def show(self, value: Any) -> str:
        """The value in a few words."""
        return CONVERSIONS[self.kind].show(value)


# Ranges: the chat-completion task of @huggingface/tasks; TGI's router for stop and top_logprobs.
PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "temperature",
        "Temperature",
        Kind.NUMBER,
        Group.MAIN,
        "How freely the model picks its words: 0 takes the likeliest, more varies. Change this or top P, not both.",
        0,
        2,
        0.1,
    ),
    Parameter(
        "max_tokens", "Max tokens", Kind.INTEGER, Group.MAIN, "The longest answer, thinking included.", 1, 10_000_000, 1
    ),
    Parameter(
        "top_p",
        "Top P",
        Kind.NUMBER,
        Group.MAIN,
        "Only the likeliest words that together reach this share are considered. Change this or temperature, not both.",
        0,
        1,
        0.05,
    ),
    Parameter(
        "seed",
        "Seed",
        Kind.INTEGER,
        Group.REPRODUCIBLE,
        "The same seed and settings should give the same answer, as far as the provider can.",
        0,
        2**63 - 1,
        1,
    ),
    Parameter(
        "stop",
        "Stop sequences",
        Kind.STRINGS,
        Group.REPRODUCIBLE,
        "The answer ends before any of these. One on each line, at most four; \\n stands for a line break.",
        0,
        4,
    ),
    Parameter(
        "frequency_penalty",
        "Frequency penalty",
        Kind.NUMBER,
        Group.REPETITION,
        "Above 0, the more often a word was used, the less likely it comes again.",
        -2,
        2,
        0.1,
    ),
    Parameter(
        "presence_penalty",
        "Presence penalty",
        Kind.NUMBER,
        Group.REPETITION,
        "Above 0, a word that was used at all is less likely to come again, which leads to new topics.",
        -2,
        2,
        0.1,
    ),
    Parameter(
        "repetition_penalty",
        "Repetition penalty",
        Kind.NUMBER,
        Group.REPETITION,
        "1 changes nothing; above 1 repeats less.",
        0.01,
        10,
        0.05,
        in_spec=False,
    ),
    Parameter(
        "top_k",
        "Top K",
        Kind.INTEGER,
        Group.SAMPLING,
        "Only this many of the likeliest words are considered; some providers take 0 or -1 as all of them.",
        -1,
        1_000_000,
        1,
        in_spec=False,
    ),
    Parameter(
        "min_p",
        "Min P",
        Kind.NUMBER,
        Group.SAMPLING,
        "Words less likely than this share of the likeliest one are left out.",
        0,
        1,
        0.01,
        in_spec=False,
    ),
    Parameter(
        "reasoning_effort",
        "Reasoning effort",
        Kind.CHOICE,
        Group.SAMPLING,
        "How much a thinking model thinks before it answers. Not every model knows every level.",
        choices=("none", "minimal", "low", "medium", "high", "xhigh"),
    ),
    Parameter(
        "logprobs",
        "Log probabilities",
        Kind.BOOLEAN,
        Group.PROBABILITIES,
        "Ask how sure the model was of each token.",
    ),
    Parameter(
        "top_logprobs",
        "Alternatives per token",
        Kind.INTEGER,
        Group.PROBABILITIES,
        "How many other candidates to show for each token. Needs log probabilities on.",
        0,
        5,
        1,
    ),
    Parameter(
        "stream",
        "Stream",
        Kind.BOOLEAN,
        Group.TRANSPORT,
        "Show the answer while it is being written. On unless switched off.",
    ),
    Parameter(
        "stream_usage",
        "Stream usage",
        Kind.BOOLEAN,
        Group.TRANSPORT,
        "Ask for token counts at the end of a stream. On unless switched off; a few servers refuse it.",
    ),
    Parameter(
        "extra_headers",
        "Extra headers",
        Kind.HEADERS,
        Group.TRANSPORT,
        "Sent with the request, one on each line as Name: value.",
        0,
        20,
    ),
    Parameter(
        "extra_body",
        "Extra body fields",
        Kind.OBJECT,
        Group.TRANSPORT,
        'A JSON object merged over the request, such as {"top_k": 40}. It wins over the knobs; null removes a field.',
    ),
)
BY_NAME: dict[str, Parameter] = {parameter.name: parameter for parameter in PARAMETERS}


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was typed, read: `values` holds only what was set and is right, `errors` a sentence per wrong field."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def clean_parameters(raw: Mapping[str, str]) -> Cleaned:
    """Read a form: parameter name to typed text. An absent, blank or unknown field is not set; nothing is guessed."""
    cleaned = Cleaned()
    for parameter in PARAMETERS:
        try:
            value = parameter.read(raw.get(parameter.name, ""))
        except ValueError as error:
            cleaned.errors[parameter.name] = f"{parameter.label} {error}."
            continue
        if value is not None:
            cleaned.values[parameter.name] = value
    _check_together(cleaned)
    return cleaned


def initial(values: Mapping[str, Any]) -> dict[str, str]:
    """The inverse of `clean_parameters`: what to put into the form so that these values come out of it again."""
    return {parameter.name: CONVERSIONS[parameter.kind].write(value) for parameter, value in _set_in(values)}


def summary(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is set, as pairs of label and short text, in the order of the table. Values of headers are not shown."""
    return [(parameter.label, parameter.show(value)) for parameter, value in _set_in(values)]


def differing(lanes: Sequence[Mapping[str, Any]]) -> list[tuple[str, tuple[str, ...]]]:
    """The parameters that are not the same in all of `lanes`: label, and the short text for each lane in turn."""
    rows = []
    for parameter in PARAMETERS:
        values = [lane.get(parameter.name) for lane in lanes]
        if len({json.dumps(value, sort_keys=True) for value in values}) > 1:
            rows.append(
                (parameter.label, tuple(NOT_SENT if value is None else parameter.show(value) for value in values))
            )
    return rows


def overridden(values: Mapping[str, Any]) -> set[str]:
    """The parameters that have no say because the extra body fields name them."""
    fields = set(values.get("extra_body") or {})
    aliases = {"stream_usage"} if "stream_options" in fields else set()
    return (fields & (BY_NAME.keys() - {"stream_usage", "extra_body", "extra_headers"})) | aliases


def _check_together(cleaned: Cleaned) -> None:
    if "top_logprobs" in cleaned.values and "logprobs" not in cleaned.errors and not cleaned.values.get("logprobs"):
        cleaned.errors["top_logprobs"] = f"{BY_NAME['top_logprobs'].label} needs log probabilities switched on."
        del cleaned.values["top_logprobs"]


def _set_in(values: Mapping[str, Any]) -> list[tuple[Parameter, Any]]:
    return [(parameter, values[parameter.name]) for parameter in PARAMETERS if values.get(parameter.name) is not None]
