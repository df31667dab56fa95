"""Refusals of providers, in every shape they come in."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.credential import Credential
from chat.providers.errors import ProviderError
from chat.providers.refusals import refusal, unwrap
from tests.fake_answers import ERRORS, NO_CREDIT

KEY = Credential("hf_abcdefghijklmnopqrstuv", "router.huggingface.co", "Team key", "stuv")
EXPECTED = {
    "400": "bad_request",
    "400-model": "model_not_supported",
    "400-context": "context_too_long",
    "400-parameter": "unknown_parameter",
    "400-value": "bad_request",
    "401": "unauthorized",
    "401-html": "unauthorized",
    "401-empty": "unauthorized",
    "401-header": "unauthorized",
    "402": "no_credit",
    "402-object": "no_credit",
    "403": "forbidden",
    "403-other": "denied",
    "403-gated": "gated",
    "404": "not_found",
    "408-html": "gateway_timeout",
    "410": "gone",
    "413": "too_large",
    "422": "unprocessable",
    "422-context": "context_too_long",
    "422-text": "unprocessable",
    "422-fastapi": "unknown_parameter",
    "422-problem": "unprocessable",
    "422-template": "no_chat_template",
    "424": "generation_failed",
    "429": "rate_limited",
    "429-date": "rate_limited",
    "429-ratelimit": "rate_limited",
    "500": "server_error",
    "500-errors": "server_error",
    "502-html": "server_error",
    "503": "server_error",
    "503-loading": "loading",
    "504-empty": "gateway_timeout",
    "524-html": "gateway_timeout",
    "redirect": "redirected",
    "xss": "bad_request",
    "echoes-key": "bad_request",
}


def refused(status: int, body: Any = b"", **headers: str) -> ProviderError:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return refusal(status, {name.replace("_", "-"): value for name, value in headers.items()}, data, KEY)


@pytest.mark.parametrize("name", ERRORS)
def test_every_refusal_of_the_fake_provider_is_understood(name: str) -> None:
    status, _, body, headers = ERRORS[name]

    error = refusal(status, headers, body.encode(), KEY)

    assert (error.kind, error.status) == (EXPECTED[name], status)


@pytest.mark.parametrize(
    "body",
    [
        {"error": "boom"},
        {"error": {"message": "boom", "type": "x", "param": None, "code": 3}},
        {"error": ["boom", "bang"]},
        {"error": "boom", "error_type": "validation"},
        {"message": "boom", "request_id": "7"},
        {"object": "error", "message": "boom"},
        {"detail": "boom"},
        {"detail": [{"loc": ["body", "stop"], "msg": "boom", "type": "t"}]},
        {"detail": "boom", "status": 422, "title": "No", "invalid_fields": []},
        {"errors": [{"message": "boom"}]},
        "boom",
        b"boom\n",
        b"<html><title>boom</title>",
    ],
)
def test_message_is_unwrapped_from_every_shape(body: Any) -> None:
    assert refused(422, body).detail == "boom"


def test_message_may_come_in_a_header() -> None:
    assert refused(401, b"", X_Error_Message="boom").detail == "boom"


@pytest.mark.parametrize("status", [400, 401, 402, 403, 429])
def test_lack_of_credit_is_known_by_its_words(status: int) -> None:
    error = refused(status, {"error": NO_CREDIT})

    assert error.sentence == "The account behind Team key is out of credit."


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 8192 tokens.",
        "the request exceeds the available context size, try increasing it",
        "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000",
        "prompt is too long: 9 tokens > 8 maximum",
    ],
)
def test_too_long_context_is_known_by_its_words(message: str) -> None:
    assert refused(400, {"error": {"message": message}}).remedies[0] == "shorten"


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ({"error": {"message": "Unrecognized request argument supplied: min_p", "param": None}}, "min_p"),
        ({"error": {"message": "property 'logprobs' is unsupported"}}, "logprobs"),
        (
            {
                "error": {
                    "message": "Unsupported parameter: 'seed' is not supported with this model",
                    "code": "unsupported_parameter",
                }
            },
            "seed",
        ),
        (
            {"message": "body.store: Extra inputs are not permitted", "code": "wrong_api_format", "param": "store"},
            "store",
        ),
        (
            {
                "detail": [
                    {"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}
                ]
            },
            "top_k",
        ),
    ],
)
def test_unknown_parameter_is_named(body: Any, parameter: str) -> None:
    error = refused(400, body)

    assert (error.kind, error.parameter) == ("unknown_parameter", parameter)


def test_markup_is_no_name_of_a_parameter() -> None:
    assert refused(400, {"error": {"message": "Unknown parameter", "param": "<img src=x>"}}).parameter == ""


def test_loading_tells_the_time() -> None:
    error = refused(503, {"error": "Model x is currently loading", "estimated_time": 20.3})

    assert (error.kind, error.estimated_time) == ("loading", 20.3)


@pytest.mark.parametrize("wrong", [-1, 1e300, "soon", True, None])
def test_absurd_loading_time_is_not_believed(wrong: Any) -> None:
    assert refused(503, {"error": "Model x is currently loading", "estimated_time": wrong}).estimated_time is None


def test_secret_and_anything_like_a_token_are_masked_everywhere() -> None:
    body = {"error": f"bad {KEY.secret} and hf_zyxwvutsrqponmlkjih"}

    error = refused(400, body, X_Request_Id=KEY.secret)

    shown = f"{error.raw}{error.detail}{error.sentence}{error.headers}{error}"
    assert KEY.secret not in shown and "hf_zyx" not in shown
    assert "•••" in error.raw


def test_request_ids_are_kept_and_cookies_are_not() -> None:
    assert refused(500, b"", X_Request_Id="Root=1", Set_Cookie="a=b").headers == {"x-request-id": "Root=1"}


wild = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "detail", "errors", "msg", "title", "code", "type", "param", "loc", "status"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(st.integers(300, 599), wild | st.binary(max_size=50))
def test_any_body_of_any_status_is_a_provider_error(status: int, body: Any) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    assert refusal(status, {}, data, None).sentence


@given(wild)
def test_anything_unwraps_to_text(value: Any) -> None:
    assert isinstance(unwrap(value).message, str)
