"""The parameter drawer as values for its templates: every row of the table of parameters with what was typed.

It owns which control a parameter has, what is said beside it and how a folded group reads. Reading what was typed is
``chat.parameters``' part, storing it the caller's: the views of lanes, and the settings page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from chat.parameter_kinds import Kind
from chat.parameters import PARAMETERS, Cleaned, Group, Parameter, clean_parameters, initial, overridden
from chat.providers.requests import EndpointKind

# Controls, as templates know them.
SLIDER, NUMBER, CHOICE, LINES, JSON = "slider", "number", "choice", "lines", "json"
CONTROLS = {
    Kind.NUMBER: SLIDER,
    Kind.INTEGER: NUMBER,
    Kind.BOOLEAN: CHOICE,
    Kind.CHOICE: CHOICE,
    Kind.STRINGS: LINES,
    Kind.HEADERS: LINES,
    Kind.OBJECT: JSON,
}
# A range that is this wide is no slider: one pixel would be many steps.
MOST_STEPS_OF_A_SLIDER = 400
ON_OFF = {"true": "on", "false": "off"}
# Fields that the chat route of Text Generation Inference does not know and skips (its ChatRequest).
UNREAD_BY_TGI = frozenset({"top_k", "min_p", "repetition_penalty", "reasoning_effort"})
NOT_READ = "TGI does not read this."
LEFT_OUT = "1 is not sent: TGI refuses it, and it changes nothing."


@dataclass(frozen=True, slots=True)
class Target:
    """What the parameters are for: the kind of endpoint, and the tokens that are left for an answer, if known."""

    kind: EndpointKind | None = None
    room: int | None = None


@dataclass(frozen=True, slots=True)
class Knob:
    """One parameter in the drawer. ``value`` is text; "" is "not sent"."""

    parameter: Parameter
    value: str = ""
    error: str = ""
    disabled_reason: str = ""
    overridden: bool = False
    note: str = ""

    @property
    def control(self) -> str:
        low, high, step = self.parameter.minimum, self.parameter.maximum, self.parameter.step
        bounded = low is not None and high is not None and step is not None
        if self.parameter.kind in (Kind.NUMBER, Kind.INTEGER):
            return SLIDER if bounded and (high - low) / step <= MOST_STEPS_OF_A_SLIDER else NUMBER  # type: ignore[operator]
        return CONTROLS[self.parameter.kind]

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(ON_OFF.values()) if self.parameter.kind is Kind.BOOLEAN else self.parameter.choices


@dataclass(frozen=True, slots=True)
class KnobGroup:
    """A folding section of the drawer; ``summary`` says what is set in it."""

    label: str
    slug: str
    knobs: tuple[Knob, ...]
    summary: str

    @property
    def open(self) -> bool:
        """What is wrong must be seen."""
        return any(knob.error for knob in self.knobs)


class ParameterForm:
    """The parameters ``stored`` somewhere, or what was typed over them (``data``, a form's fields by name).

    ``values`` is what to store: with data, what was typed and is right, and the stored value where a field is wrong or
    cannot be changed here. ``errors`` are sentences by name.
    """

    def __init__(
        self, stored: Mapping[str, Any], data: Mapping[str, str] | None = None, target: Target = Target()
    ) -> None:
        self._stored, self._data, self._target = stored, data, target
        self._typed = initial(stored) if data is None else self._with_kept(data)
        cleaned = Cleaned(dict(stored)) if data is None else clean_parameters(self._typed)
        self.errors = cleaned.errors
        kept = {name: stored[name] for name in self.errors if name in stored}
        self.values: dict[str, Any] = kept | cleaned.values
        self._overridden = overridden(self.values)

    def is_valid(self) -> bool:
        return not self.errors

    @property
    def main(self) -> list[Knob]:
        """The knobs outside any group."""
        return [self._knob(parameter) for parameter in PARAMETERS if parameter.group is Group.MAIN]

    @property
    def groups(self) -> list[KnobGroup]:
        folded = [parameter for parameter in PARAMETERS if parameter.group is not Group.MAIN]
        return [self._group(group, tuple(rows)) for group, rows in groupby(folded, lambda row: row.group)]

    @property
    def knobs(self) -> list[Knob]:
        return [self._knob(parameter) for parameter in PARAMETERS]

    def _with_kept(self, data: Mapping[str, str]) -> dict[str, str]:
        """Browsers leave disabled fields out, which must not unset them."""
        kept = initial({name: value for name, value in self._stored.items() if self._disabled_reason(name)})
        return {parameter.name: data.get(parameter.name, "") for parameter in PARAMETERS} | kept

    def _group(self, group: Group, parameters: tuple[Parameter, ...]) -> KnobGroup:
        knobs = tuple(self._knob(parameter) for parameter in parameters)
        return KnobGroup(group.value, group.name.lower(), knobs, self._summary(parameters))

    def _summary(self, parameters: tuple[Parameter, ...]) -> str:
        shown = [(row.label.lower(), row.show(self.values[row.name])) for row in parameters if row.name in self.values]
        return ", ".join(f"{label} {value}" for label, value in shown)

    def _knob(self, parameter: Parameter) -> Knob:
        typed = self._typed.get(parameter.name, "")
        return Knob(
            parameter,
            value=ON_OFF.get(typed, typed) if parameter.kind is Kind.BOOLEAN else typed,
            error=self.errors.get(parameter.name, ""),
            disabled_reason=self._disabled_reason(parameter.name),
            overridden=parameter.name in self._overridden,
            note=self._note(parameter.name),
        )

    def _disabled_reason(self, name: str) -> str:
        return NOT_READ if self._target.kind is EndpointKind.TGI and name in UNREAD_BY_TGI else ""

    def _note(self, name: str) -> str:
        tgi = self._target.kind in (EndpointKind.TGI, EndpointKind.INFERENCE_ENDPOINT)
        if name == "top_p" and tgi and self.values.get("top_p") == 1:
            return LEFT_OUT
        if name == "max_tokens" and self._target.room is not None:
            return f"Room for {self._target.room:,} in this chat."
        return ""
