"""The body and the headers that are sent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.payload import merge_patch, wire_request
from chat.providers.requests import ChatRequest, EndpointKind, WireRequest

MESSAGES = ({"role": "system", "content": "Terse."}, {"role": "user", "content": "Hi"})


def wire(kind: EndpointKind = EndpointKind.ROUTER, **fields: Any) -> WireRequest:
    return wire_request(ChatRequest(kind, "https://h/v1", "a/b:cerebras", MESSAGES, **fields))  # type: ignore[arg-type]


def test_nothing_is_sent_that_was_not_set() -> None:
    assert wire().body == {
        "model": "a/b:cerebras",
        "messages": list(MESSAGES),
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_model_comes_first_whatever_else_is_set() -> None:
    body = wire(parameters={"temperature": 1.0}, extra_body={"a": 1}).body

    assert list(body)[:2] == ["model", "messages"]


def test_zero_and_false_are_sent() -> None:
    body = wire(parameters={"temperature": 0.0, "seed": 0, "logprobs": False, "max_tokens": None}).body

    assert (body["temperature"], body["seed"], body["logprobs"]) == (0.0, 0, False)
    assert "max_tokens" not in body


@pytest.mark.parametrize("kind", EndpointKind)
def test_top_p_of_one_is_left_out_for_servers_that_refuse_it(kind: EndpointKind) -> None:
    sent = "top_p" in wire(kind, parameters={"top_p": 1.0}).body

    assert sent is (kind not in (EndpointKind.TGI, EndpointKind.INFERENCE_ENDPOINT))
    assert wire(kind, parameters={"top_p": 0.9}).body["top_p"] == 0.9


def test_alternatives_are_only_asked_for_with_log_probabilities() -> None:
    assert "top_logprobs" not in wire(parameters={"top_logprobs": 3}).body
    assert "top_logprobs" not in wire(parameters={"top_logprobs": 3, "logprobs": False}).body
    assert wire(parameters={"top_logprobs": 0, "logprobs": True}).body["top_logprobs"] == 0


def test_streaming_can_be_switched_off_and_usage_too() -> None:
    whole = wire(parameters={"stream": False, "stream_usage": True}).body
    bare = wire(parameters={"stream_usage": False}).body

    assert whole["stream"] is False and "stream_options" not in whole
    assert bare["stream"] is True and "stream_options" not in bare
    assert "stream_usage" not in whole


def test_extra_fields_win_merge_deeply_and_null_removes() -> None:
    body = wire(
        parameters={"temperature": 1.0, "seed": 3},
        extra_body={"temperature": 0.5, "seed": None, "stream_options": {"x": {"y": 1, "z": None}}},
    ).body

    assert body["temperature"] == 0.5
    assert "seed" not in body
    assert body["stream_options"] == {"include_usage": True, "x": {"y": 1}}


@pytest.mark.parametrize("field", ["model", "messages"])
def test_extra_fields_cannot_change_who_is_asked_and_what(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        wire(extra_body={field: None})


def test_headers_hold_no_authorisation_and_name_who_pays() -> None:
    headers = wire(bill_to="lab-org", extra_headers={"X-Use-Cache": "false", "user-agent": "me"}).headers

    assert headers["X-HF-Bill-To"] == "lab-org"
    assert headers["X-Use-Cache"] == "false"
    assert [name for name in headers if name.lower() == "user-agent"] == ["user-agent"]
    assert not any(name.lower() == "authorization" for name in headers)


@pytest.mark.parametrize(("base_url", "expected"), [("http://127.0.0.1:9", "close"), ("https://h/v1", None)])
def test_connection_is_reused_only_where_that_saves_a_handshake(base_url: str, expected: str | None) -> None:
    sent = wire_request(ChatRequest(EndpointKind.LOCAL, base_url, "m", MESSAGES))  # type: ignore[arg-type]

    assert sent.headers.get("Connection") == expected


@pytest.mark.parametrize(
    "fields", [{"extra_headers": {"Authorization": "x"}}, {"extra_headers": {"X": "a\r\nb"}}, {"bill_to": "a\r\nb"}]
)
def test_headers_that_must_not_be_sent_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="header"):
        wire(**fields)


objects = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
).filter(lambda value: isinstance(value, dict))


@given(objects, objects)
def test_merging_follows_its_specification(target: dict[str, Any], patch: dict[str, Any]) -> None:
    merged = merge_patch(target, patch)

    # RFC 7396 section 2, member by member.
    for name in target.keys() - patch.keys():
        assert merged[name] == target[name]
    for name, value in patch.items():
        if value is None:
            assert name not in merged
        elif not isinstance(value, dict):
            assert merged[name] == value
    kept = [name for name in target if name in merged]
    assert list(merged)[: len(kept)] == kept
    assert merge_patch(merged, patch) == merged


def test_merging_changes_neither_side() -> None:
    target: dict[str, Any] = {"a": {"b": 1}}
    patch: dict[str, Any] = {"a": {"c": 2}}

    merge_patch(target, patch)["a"]["d"] = 3

    assert (target, patch) == ({"a": {"b": 1}}, {"a": {"c": 2}})
