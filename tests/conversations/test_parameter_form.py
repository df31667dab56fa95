"""The drawer's fields: what each shows, what is kept of what was typed, what is said beside it."""

from typing import Any

import pytest
from django.template.loader import render_to_string

from chat.conversations.parameter_form import KnobGroup, ParameterForm, Target
from chat.parameters import PARAMETERS, initial
from chat.providers.requests import EndpointKind

EVERYTHING: dict[str, Any] = {
    "temperature": 0.0,
    "max_tokens": 1024,
    "top_p": 0.9,
    "seed": 7,
    "stop": ["END", "\n"],
    "frequency_penalty": -0.5,
    "presence_penalty": 0.5,
    "repetition_penalty": 1.1,
    "top_k": 40,
    "min_p": 0.05,
    "reasoning_effort": "low",
    "logprobs": True,
    "top_logprobs": 3,
    "stream": False,
    "stream_usage": True,
    "extra_headers": {"X-Use-Cache": "false"},
    "extra_body": {"user": "me"},
}


def knob(form: ParameterForm, name: str) -> Any:
    return next(knob for knob in form.knobs if knob.parameter.name == name)


def group(form: ParameterForm, slug: str) -> KnobGroup:
    return next(group for group in form.groups if group.slug == slug)


def test_every_parameter_has_exactly_one_place() -> None:
    form = ParameterForm({})

    placed = [*form.main, *(knob for group in form.groups for knob in group.knobs)]
    assert sorted(knob.parameter.name for knob in placed) == sorted(parameter.name for parameter in PARAMETERS)


def test_values_of_all_parameters_survive_the_form() -> None:
    shown = {knob.parameter.name: knob.value for knob in ParameterForm(EVERYTHING).knobs}

    assert ParameterForm({}, shown).values == EVERYTHING


def test_nothing_stored_shows_nothing_set() -> None:
    form = ParameterForm({})

    assert {knob.value for knob in form.knobs} == {""} and not any(group.summary for group in form.groups)


def test_emptied_field_is_not_sent_any_more() -> None:
    assert ParameterForm({"temperature": 0.7, "seed": 7}, {"temperature": "", "seed": "7"}).values == {"seed": 7}


def test_wrong_field_keeps_what_was_typed_and_what_was_stored() -> None:
    form = ParameterForm({"temperature": 0.7}, {"temperature": "3", "seed": "12"})

    assert not form.is_valid() and form.values == {"temperature": 0.7, "seed": 12}
    assert knob(form, "temperature").value == "3" and "between 0 and 2" in knob(form, "temperature").error


def test_folded_group_says_what_is_set_in_it() -> None:
    assert group(ParameterForm(EVERYTHING), "reproducible").summary == 'seed 7, stop sequences "END", "\\n"'


def test_group_with_a_wrong_field_stands_open() -> None:
    form = ParameterForm({}, {"seed": "x"})

    assert group(form, "reproducible").open and not group(form, "repetition").open


def test_values_of_headers_are_not_in_the_summary() -> None:
    assert "false" not in group(ParameterForm({"extra_headers": {"X-Secret": "false"}}), "transport").summary


def test_knob_named_in_the_extra_fields_is_said_to_be_overridden() -> None:
    form = ParameterForm({"seed": 7, "extra_body": {"seed": None}})

    assert knob(form, "seed").overridden and not knob(form, "temperature").overridden


def test_what_tgi_skips_cannot_be_set_there_and_is_kept() -> None:
    form = ParameterForm({"top_k": 40, "seed": 7}, {"seed": "8"}, Target(EndpointKind.TGI))

    assert knob(form, "top_k").disabled_reason and form.values == {"top_k": 40, "seed": 8}


def test_what_tgi_skips_can_be_set_elsewhere() -> None:
    assert not any(knob.disabled_reason for knob in ParameterForm({}, target=Target(EndpointKind.ROUTER)).knobs)


@pytest.mark.parametrize(
    ("kind", "said"), [(EndpointKind.TGI, True), (EndpointKind.INFERENCE_ENDPOINT, True), (EndpointKind.ROUTER, False)]
)
def test_top_p_of_1_is_said_not_to_be_sent_to_tgi(kind: EndpointKind, said: bool) -> None:
    assert bool(knob(ParameterForm({"top_p": 1.0}, target=Target(kind)), "top_p").note) is said


def test_room_in_the_chat_stands_beside_max_tokens() -> None:
    assert knob(ParameterForm({}, target=Target(room=124_800)), "max_tokens").note == "Room for 124,800 in this chat."


@pytest.mark.parametrize(
    ("name", "control"),
    [("temperature", "slider"), ("top_logprobs", "slider"), ("max_tokens", "number"), ("seed", "number")]
    + [("stream", "choice"), ("reasoning_effort", "choice"), ("stop", "lines"), ("extra_body", "json")],
)
def test_control_fits_the_range(name: str, control: str) -> None:
    assert knob(ParameterForm({}), name).control == control


def test_rendered_fields_hold_what_was_typed_and_say_what_is_wrong() -> None:
    typed = initial(EVERYTHING) | {"temperature": "hot", "extra_body": "{</textarea><script>"}

    html = render_to_string("chat/conversations/_parameters.html", {"parameters": ParameterForm({}, typed)})

    assert 'value="hot"' in html and "Temperature must be a number" in html
    assert "<script>" not in html and "{&lt;/textarea&gt;&lt;script&gt;" in html
    assert '<option value="off" selected>off</option>' in html and '<option value="low" selected>' in html
    assert all(f'name="{parameter.name}"' in html for parameter in PARAMETERS)


def test_answer_to_a_change_leaves_the_fields_alone() -> None:
    form = ParameterForm({}, {"seed": "7", "temperature": "9"})

    html = render_to_string("chat/conversations/_drawer_saved.html", {"parameters": form, "form_errors": ["Too long."]})

    assert "<input" not in html and "<textarea" not in html and "<select" not in html
    assert 'id="knob-temperature-help" hx-swap-oob="true"' in html and "between 0 and 2" in html
    assert (
        '<span class="drawer-group-summary" id="drawer-summary-reproducible" hx-swap-oob="true">seed 7</span>' in html
    )
    assert "Too long." in html
