"""The table of parameters: what people type becomes values, and back."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.parameter_kinds import Kind
from chat.parameters import (
    BY_NAME,
    PARAMETERS,
    Group,
    Parameter,
    clean_parameters,
    differing,
    initial,
    overridden,
    summary,
)
from chat.providers.payload import wire_request
from chat.providers.requests import ChatRequest, EndpointKind

NAMES = {
    "temperature",
    "top_p",
    "max_tokens",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "stop",
    "logprobs",
    "top_logprobs",
    "top_k",
    "min_p",
    "repetition_penalty",
    "reasoning_effort",
    "stream",
    "stream_usage",
    "extra_body",
    "extra_headers",
}


def sentence(name: str, text: str) -> str:
    cleaned = clean_parameters({name: text})
    assert name not in cleaned.values
    return cleaned.errors[name]


def test_table_holds_every_knob_once() -> None:
    assert {parameter.name for parameter in PARAMETERS} == NAMES
    assert len(PARAMETERS) == len(NAMES)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda parameter: parameter.name)
def test_every_knob_is_explained_and_bounded(parameter: Parameter) -> None:
    assert parameter.label and parameter.help.endswith(".") and parameter.group in Group
    if parameter.kind in (Kind.NUMBER, Kind.INTEGER):
        assert parameter.minimum is not None and parameter.maximum is not None and parameter.step
    assert (parameter.kind == Kind.CHOICE) == bool(parameter.choices)


def test_knobs_outside_the_specification_are_marked() -> None:
    assert {parameter.name for parameter in PARAMETERS if not parameter.in_spec} == {
        "top_k",
        "min_p",
        "repetition_penalty",
    }


def test_nothing_typed_is_nothing_set() -> None:
    blank = dict.fromkeys(NAMES, " \r\n") | {"unknown": "7"}

    cleaned = clean_parameters(blank)

    assert (cleaned.values, cleaned.errors) == ({}, {})


def test_everything_typed_is_read() -> None:
    raw = {
        "temperature": "0",
        "top_p": " 0.9 ",
        "max_tokens": "512",
        "frequency_penalty": "-.5",
        "presence_penalty": "1e-1",
        "seed": "0",
        "stop": "END\r\n\\n\\n\r\n  x",
        "logprobs": "on",
        "top_logprobs": "0",
        "top_k": "-1",
        "min_p": "0.05",
        "repetition_penalty": "1.1",
        "reasoning_effort": "high",
        "stream": "false",
        "stream_usage": "true",
        "extra_body": '{"a": {"b": null}}',
        "extra_headers": "X-A: 1\nX-B:2: 3",
    }

    cleaned = clean_parameters(raw)

    assert cleaned.errors == {}
    assert cleaned.values == {
        "temperature": 0.0,
        "top_p": 0.9,
        "max_tokens": 512,
        "frequency_penalty": -0.5,
        "presence_penalty": 0.1,
        "seed": 0,
        "stop": ["END", "\n\n", "  x"],
        "logprobs": True,
        "top_logprobs": 0,
        "top_k": -1,
        "min_p": 0.05,
        "repetition_penalty": 1.1,
        "reasoning_effort": "high",
        "stream": False,
        "stream_usage": True,
        "extra_body": {"a": {"b": None}},
        "extra_headers": {"X-A": "1", "X-B": "2: 3"},
    }


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("temperature", "2.01", "Temperature must be between 0 and 2."),
        ("temperature", "-0.1", "Temperature must be between 0 and 2."),
        ("temperature", "nan", "Temperature must be a number, such as 0.7."),
        ("temperature", "inf", "Temperature must be a number, such as 0.7."),
        ("temperature", "1e999", "Temperature must be between 0 and 2."),
        ("temperature", "0,7", "Temperature must be a number, such as 0.7."),
        ("temperature", "1_0", "Temperature must be a number, such as 0.7."),
        ("temperature", "１", "Temperature must be a number, such as 0.7."),
        ("max_tokens", "0", "Max tokens must be between 1 and 10,000,000."),
        ("max_tokens", "1.5", "Max tokens must be a whole number."),
        ("max_tokens", "9" * 5000, "Max tokens must be a whole number."),
        ("seed", "-1", "Seed must be between 0 and 9,223,372,036,854,775,807."),
        ("stop", "a\nb\nc\nd\ne", "Stop sequences must be at most 4."),
        ("stop", "x" * 501, "Stop sequences must be shorter than 500 characters each."),
        ("stop", "a\x00", "Stop sequences must not hold NUL characters."),
        ("logprobs", "maybe", "Log probabilities must be on or off."),
        ("reasoning_effort", "huge", "Reasoning effort must be one of none, minimal, low, medium, high, xhigh."),
        ("extra_headers", "nonsense", "Extra headers must be lines of Name: value, unlike “nonsense”."),
        (
            "extra_headers",
            "Authorization: x",
            "Extra headers cannot be sent: Authorization is set by the playground itself.",
        ),
        ("extra_headers", "X-A: 1\nx-a: 2", "Extra headers name x-a twice."),
        ("extra_headers", "\n".join(f"X-{n}: 1" for n in range(21)), "Extra headers must be at most 20."),
        ("extra_body", '{"a": }', "Extra body fields is not valid JSON: Expecting value, line 1, column 7."),
        ("extra_body", '{"model": "x"}', "Extra body fields cannot set model; that is done in the chat itself."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(name: str, text: str, words: str) -> None:
    assert sentence(name, text) == words


@pytest.mark.parametrize(
    ("name", "text"),
    [("extra_headers", "X-Key: hf_abcdefghijklmnopqrstuv"), ("extra_body", '{"k": "hf_abcdefghijklmnopqrstuv"}')],
)
def test_token_does_not_belong_into_parameters(name: str, text: str) -> None:
    assert "Keys page" in sentence(name, text)
    assert "abcdefghij" not in sentence(name, text)


@pytest.mark.parametrize("logprobs", ["", "off"])
def test_alternatives_need_log_probabilities(logprobs: str) -> None:
    cleaned = clean_parameters({"top_logprobs": "3", "logprobs": logprobs})

    assert cleaned.errors == {"top_logprobs": "Alternatives per token needs log probabilities switched on."}
    assert "top_logprobs" not in cleaned.values


def test_one_wrong_field_leaves_the_others() -> None:
    cleaned = clean_parameters({"temperature": "hot", "seed": "7"})

    assert (cleaned.values, set(cleaned.errors)) == ({"seed": 7}, {"temperature"})


plain_text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
words = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)


def values_of(parameter: Parameter) -> st.SearchStrategy[Any]:
    low, high = parameter.minimum, parameter.maximum
    match parameter.kind:
        case Kind.NUMBER:
            return st.floats(low, high)
        case Kind.INTEGER:
            return st.integers(int(low or 0), int(high or 0))
        case Kind.BOOLEAN:
            return st.booleans()
        case Kind.CHOICE:
            return st.sampled_from(parameter.choices)
        case Kind.STRINGS:
            return st.lists(
                plain_text | st.sampled_from([" ", "\n", "\\n", "\\", "\t", "\r\n"]), min_size=1, max_size=4
            )
        case Kind.OBJECT:
            return st.dictionaries(st.text("abc", min_size=1), st.none() | st.integers() | plain_text, min_size=1)
        case Kind.HEADERS:
            return st.dictionaries(st.from_regex(r"X-[a-z]{1,5}", fullmatch=True), words, min_size=1, max_size=4)


settings_strategy = st.fixed_dictionaries(
    {}, optional={parameter.name: values_of(parameter) for parameter in PARAMETERS}
).map(lambda values: values | {"logprobs": True} if "top_logprobs" in values else values)


@given(settings_strategy)
def test_form_filled_from_values_gives_the_same_values(values: dict[str, Any]) -> None:
    cleaned = clean_parameters(initial(values))

    assert cleaned.errors == {}
    assert cleaned.values == values
    assert json.loads(json.dumps(values)) == values


@pytest.mark.parametrize("stop", [[" "], ["  ", "\t"], ["\n", "\\n", "\\"], [" x ", "\r\n"], ["\u2028", "\x0b"]])
def test_stop_sequences_of_blanks_and_backslashes_survive_the_form(stop: list[str]) -> None:
    assert clean_parameters(initial({"stop": stop})).values == {"stop": stop}


@given(st.dictionaries(st.sampled_from(sorted(NAMES)), st.text(max_size=40)))
def test_any_form_is_values_or_sentences(raw: dict[str, str]) -> None:
    cleaned = clean_parameters(raw)

    assert cleaned.values.keys().isdisjoint(cleaned.errors)
    for name, words_said in cleaned.errors.items():
        assert words_said.startswith(BY_NAME[name].label) and words_said.endswith(".")


@given(settings_strategy)
def test_whatever_is_clean_can_be_sent(values: dict[str, Any]) -> None:
    extra_body, extra_headers = values.pop("extra_body", {}), values.pop("extra_headers", {})
    request = ChatRequest(EndpointKind.TGI, "http://h", "m", (), values, extra_body, extra_headers)

    assert wire_request(request).content()


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda parameter: parameter.name)
def test_every_knob_reaches_the_wire(parameter: Parameter) -> None:
    typed = {Kind.OBJECT: '{"own": 1}', Kind.HEADERS: "X-Own: 1", Kind.CHOICE: "high", Kind.BOOLEAN: "false"}
    values = clean_parameters({parameter.name: typed.get(parameter.kind, "1"), "logprobs": "on"}).values
    if parameter.name == "logprobs":
        values = {"logprobs": False}
    extra_body, extra_headers = values.pop("extra_body", {}), values.pop("extra_headers", {})

    def sent(parameters: dict[str, Any], body: dict[str, Any], headers: dict[str, str]) -> str:
        request = ChatRequest(EndpointKind.ROUTER, "http://h", "m", (), parameters, body, headers)
        return wire_request(request).to_json()

    assert sent(values, extra_body, extra_headers) != sent({"logprobs": True}, {}, {})


def test_summary_is_short_and_hides_values_of_headers() -> None:
    values = {
        "temperature": 1.0,
        "stop": ["\n"],
        "logprobs": True,
        "extra_headers": {"X-Key": "secret"},
        "extra_body": {"a": "x" * 500},
    }

    found = dict(summary(values))

    assert found["Temperature"] == "1"
    assert found["Stop sequences"] == '"\\n"'
    assert found["Log probabilities"] == "on"
    assert found["Extra headers"] == "X-Key"
    assert len(found["Extra body fields"]) == 80


def test_only_what_differs_between_lanes_is_listed() -> None:
    lanes: list[dict[str, Any]] = [{"temperature": 0.0, "seed": 1}, {"temperature": 1.2, "seed": 1}, {"seed": 1}]

    assert differing(lanes) == [("Temperature", ("0", "1.2", "not sent"))]
    assert differing([]) == differing([lanes[0]]) == differing([lanes[0], lanes[0]]) == []


def test_extra_fields_override_knobs() -> None:
    values = {"temperature": 1.0, "extra_body": {"temperature": 2, "stream_options": None, "other": 1}}

    assert overridden(values) == {"temperature", "stream_usage"}
    assert overridden({}) == set()


def test_sentences_are_plain() -> None:
    assert not [p.name for p in PARAMETERS if re.search(r"\b(logits|nucleus|softmax|API|HTTP)\b", p.help)]
