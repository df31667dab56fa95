"""From the JSON of answers to token events, in the dialects that servers speak."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.credential import Credential
from chat.providers.decoding import AnswerDecoder
from chat.providers.errors import ProviderError
from chat.providers.events import (
    Finished,
    Identified,
    LogprobsDelta,
    TokenEvent,
    TokenLogprob,
    ToolCallDelta,
    UsageReport,
)
from chat.providers.sse import ServerSentEvent
from tests.providers.conftest import fold


def chunk(delta: Any = None, finish: Any = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {} if delta is None else delta, "finish_reason": finish}], **fields}


def decode(*chunks: Any, done: bool = True, decoder: AnswerDecoder | None = None) -> list[TokenEvent]:
    """The events of a whole stream of these chunks; bytes are sent as they are."""
    decoder = decoder or AnswerDecoder()
    events: list[TokenEvent] = []
    for item in (*chunks, *([b"[DONE]"] if done else [])):
        data = item if isinstance(item, bytes) else json.dumps(item).encode()
        events.extend(decoder.decode(ServerSentEvent(data)))
    return [*events, *decoder.flush()]


def failure(*chunks: Any, done: bool = False) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        decode(*chunks, done=done)
    return caught.value


def of(kind: type, events: list[TokenEvent]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def test_text_comes_in_order_and_nothing_comes_of_empty_deltas() -> None:
    events = decode(
        chunk({"role": "assistant", "content": ""}),
        chunk({"content": "a"}),
        chunk({"content": None}),
        chunk({"content": "b"}, "stop"),
    )

    assert fold(events) == ("ab", "")
    assert events[-1] == Finished("stop", "stop")


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content", "reasoning_text", "thinking"])
def test_reasoning_is_read_from_every_field(field: str) -> None:
    assert fold(decode(chunk({field: "hm", "content": None}), chunk({"content": "yes"}))) == ("yes", "hm")


def test_reasoning_sent_twice_under_two_names_counts_once() -> None:
    assert fold(decode(chunk({"reasoning": "hm", "reasoning_content": "hm"}), chunk({"content": "x"}))) == ("x", "hm")


def test_reasoning_and_text_are_read_from_lists_of_parts() -> None:
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "yes"}, 7]

    assert fold(decode(chunk({"content": parts}))) == ("yes", "hm")
    assert fold(decode(chunk({"reasoning_details": [{"text": "hm"}]}), chunk({"content": "yes"}))) == ("yes", "hm")


def test_closing_tag_in_the_text_means_nothing_where_reasoning_comes_separately() -> None:
    events = decode(chunk({"content": "A "}), chunk({"reasoning": "hm"}), chunk({"content": "tag: </think>\nthat"}))

    assert fold(events) == ("A tag: </think>\nthat", "hm")


def test_think_tags_split_over_chunks_are_read() -> None:
    pieces = ["<th", "ink>", "hm", "</", "think", ">\n", "\nyes"]

    assert fold(decode(*(chunk({"content": piece}) for piece in pieces))) == ("yes", "hm")


def test_odd_words_of_a_model_are_left_as_they_are() -> None:
    assert fold(decode(chunk({"content": "None"}), chunk({"content": "</s><b>&amp;"}))) == ("None</s><b>&amp;", "")


def test_completion_text_is_read_where_there_is_no_delta() -> None:
    assert fold(decode({"choices": [{"text": "a"}]}, {"choices": [{"delta": {"content": "b"}, "text": "b"}]})) == (
        "ab",
        "",
    )


def test_a_second_choice_is_not_mixed_in() -> None:
    assert fold(
        decode({"choices": [{"index": 1, "delta": {"content": "no"}}, {"index": 0, "delta": {"content": "yes"}}]})
    ) == ("yes", "")


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("eos_token", "stop"),
        ("stop_sequence", "stop"),
        ("length", "length"),
        ("tool_calls", "tool_calls"),
        ("function_call", "tool_calls"),
        ("content_filter", "content_filter"),
        ("weird", "weird"),
    ],
)
def test_finish_reasons_become_one_vocabulary(word: str, reason: str) -> None:
    assert of(Finished, decode(chunk({"content": "x"}), chunk({}, word))) == [Finished(reason, word)]


def test_done_without_a_finish_reason_is_a_whole_answer() -> None:
    assert decode(chunk({"content": "x"}))[-1] == Finished("stop", "")


def test_finish_reason_without_done_is_a_whole_answer() -> None:
    assert decode(chunk({"content": "x"}, "stop"), done=False)[-1] == Finished("stop", "stop")


def test_end_without_either_is_cut_off_and_gives_the_text_held_back() -> None:
    decoder = AnswerDecoder()
    events = list(decoder.decode(ServerSentEvent(orjson.dumps(chunk({"content": "<thi"})))))

    with pytest.raises(ProviderError) as caught:
        for event in decoder.flush():
            events.append(event)

    assert caught.value.kind == "cut_off"
    assert fold(events) == ("<thi", "")


def test_nothing_at_all_is_empty() -> None:
    assert failure().kind == "empty"
    assert failure(done=True).kind == "empty"


def test_half_an_event_at_the_end_is_a_cut_and_not_nonsense() -> None:
    decoder = AnswerDecoder()
    list(decoder.decode(ServerSentEvent(orjson.dumps(chunk({"content": "x"})))))

    assert list(decoder.decode(ServerSentEvent(b'{"choices":[{"del', complete=False))) == []
    with pytest.raises(ProviderError, match="broke off"):
        list(decoder.flush())


def test_what_follows_done_is_ignored() -> None:
    assert fold(decode(chunk({"content": "x"}, "stop"), b"[DONE]", b"nonsense", chunk({"content": "y"}))) == ("x", "")


def test_last_usage_that_says_something_counts() -> None:
    events = decode(
        chunk({"content": "x"}, usage={"prompt_tokens": 3, "completion_tokens": 1}),
        chunk({"content": "y"}, usage=None),
        {
            "choices": [],
            "usage": {
                "prompt_tokens": 3,
                "completion_tokens": 2.0,
                "completion_tokens_details": {"reasoning_tokens": 1},
                "prompt_tokens_details": {"cached_tokens": 0},
            },
        },
        {"choices": [], "usage": {"prompt_tokens": None}},
    )

    assert of(UsageReport, events)[-1] == UsageReport(3, 2, 1, 0)


@pytest.mark.parametrize("wrong", [-1, 1e300, 10**30, "many", True, [], 0.5, None])
def test_absurd_usage_is_not_believed(wrong: Any) -> None:
    events = decode(
        chunk({"content": "x"}, usage={"prompt_tokens": wrong, "completion_tokens": 2, "prompt_tokens_details": wrong})
    )

    assert of(UsageReport, events) == [UsageReport(None, 2, None, None)]


def test_identity_is_told_once_and_when_it_changes() -> None:
    one = {"id": "a", "model": "m", "system_fingerprint": None, "created": 5}

    events = decode(
        chunk({"content": "x"}, **one),
        chunk({"content": "y"}, **one),
        chunk({}, system_fingerprint="fp"),
        chunk({}, id="", model="m2"),
    )

    assert of(Identified, events) == [
        Identified("a", "m", "", 5),
        Identified("a", "m", "fp", 5),
        Identified("a", "m2", "fp", 5),
    ]


def test_labels_are_cut_to_a_length_that_can_be_stored() -> None:
    assert len(of(Identified, decode(chunk({"content": "x"}, id="a" * 10_000)))[0].response_id) == 200


@pytest.mark.parametrize(
    ("event", "kind", "words"),
    [
        ({"error": "boom"}, "stream_error", "boom"),
        ({"error": {"message": "boom", "http_status_code": 500}}, "stream_error", "boom"),
        ({"error": {"message": "boom", "type": "x", "code": None}, "choices": []}, "stream_error", "boom"),
        ({"error": "boom", "error_type": "generation"}, "generation_failed", ""),
        ({"message": "boom"}, "stream_error", "boom"),
        ({"object": "error", "message": "boom"}, "stream_error", "boom"),
        ({"detail": "boom"}, "stream_error", "boom"),
        ({"error": {"message": "Model is overloaded", "http_status_code": 429}}, "rate_limited", ""),
        (
            {"error": {"message": "inputs tokens + max_new_tokens must be <= 9", "http_status_code": 422}},
            "context_too_long",
            "",
        ),
        (
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "error", "error": {"message": "boom"}}]},
            "stream_error",
            "boom",
        ),
    ],
)
def test_error_objects_inside_a_stream_are_errors(event: Any, kind: str, words: str) -> None:
    error = failure(chunk({"content": "x"}), event)

    assert error.kind == kind
    assert words in error.sentence


def test_error_event_that_is_no_json_is_an_error() -> None:
    with pytest.raises(ProviderError, match="upstream gone"):
        list(AnswerDecoder().decode(ServerSentEvent(b"upstream gone", "error")))


def test_error_that_is_null_is_none() -> None:
    assert fold(decode(chunk({"content": "x"}, error=None), chunk({"content": "y"}, error=""))) == ("xy", "")


def test_pings_are_ignored() -> None:
    assert fold(decode({}, b"  ", b"", {"type": "ping"}, chunk({"content": "x"}))) == ("x", "")


@pytest.mark.parametrize("data", [b"nonsense", b"null", b"7", b'"text"', b"[]", b"{", b"\xff", b"[" * 100_000])
def test_event_that_is_no_object_is_malformed_and_shown(data: bytes) -> None:
    error = failure(data)

    assert error.kind == "malformed"
    assert error.raw[:1] == data.decode("utf-8", "replace")[:1]


def test_secret_never_shows_in_an_error() -> None:
    credential = Credential("sk-very-secret", "x", "Key", "cret")
    decoder = AnswerDecoder(credential)

    with pytest.raises(ProviderError) as caught:
        list(decoder.decode(ServerSentEvent(b'{"error":"bad sk-very-secret and hf_abcdefghijklmnop"}')))

    assert "secret" not in caught.value.raw + caught.value.sentence + caught.value.detail
    assert "hf_abc" not in caught.value.raw + caught.value.sentence


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices":[{"delta":{"content":"a\\ud83d"},"logprobs":NaN}]}',
        b'{"choices":[{"delta":{"content":"a\\u0000"}}]}',
        b'{"choices":[{"delta":{"content":"a\xff"}}]}',
    ],
)
def test_characters_that_no_database_takes_are_replaced(data: bytes) -> None:
    text, _ = fold(decode(data))

    assert text == "a\ufffd"


def test_surrogate_pair_written_as_escapes_is_one_character() -> None:
    assert fold(decode(b'{"choices":[{"delta":{"content":"\\ud83d\\ude00"},"x":NaN}]}')) == ("😀", "")


def test_log_probabilities_are_read() -> None:
    top = [
        {"token": "a", "logprob": -0.1},
        {"token": "b", "logprob": -2},
        {"token": 3, "logprob": -2},
        {"token": "c", "logprob": None},
    ]
    content = [{"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": top}, {"token": "x", "logprob": "high"}]

    events = decode({"choices": [{"delta": {"content": "a"}, "logprobs": {"content": content}}]})

    assert of(LogprobsDelta, events) == [LogprobsDelta((TokenLogprob("a", -0.1, (("a", -0.1), ("b", -2.0))),))]


def test_log_probabilities_of_the_older_format_are_read() -> None:
    legacy = {"tokens": ["a", "b"], "token_logprobs": [-0.5, None], "top_logprobs": [{"a": -0.5, "c": -1}]}

    events = decode({"choices": [{"delta": {"content": "ab"}, "logprobs": legacy}]})

    assert of(LogprobsDelta, events) == [LogprobsDelta((TokenLogprob("a", -0.5, (("a", -0.5), ("c", -1.0))),))]


def test_answer_in_one_piece_is_read() -> None:
    message = {
        "role": "assistant",
        "content": "yes",
        "reasoning": "hm",
        "tool_calls": [{"id": "t", "function": {"name": "f", "arguments": "{}"}}],
    }
    body = {
        "id": "a",
        "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}],
        "usage": {"completion_tokens": 3},
    }
    decoder = AnswerDecoder()

    events = [*decoder.decode_body(json.dumps(body).encode()), *decoder.flush()]

    assert fold(events) == ("yes", "hm")
    assert of(ToolCallDelta, events) == [ToolCallDelta(0, "t", "f", "{}")]
    assert of(UsageReport, events) == [UsageReport(None, 3, None, None)]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"id":"x"}', b"{", b"null"])
def test_body_that_is_no_answer_is_malformed(body: bytes) -> None:
    with pytest.raises(ProviderError) as caught:
        list(AnswerDecoder().decode_body(body))

    assert caught.value.kind == "malformed"


FIELDS = (
    "id choices delta message content reasoning thinking reasoning_details tool_calls function name arguments index"
    " finish_reason logprobs top_logprobs tokens token_logprobs token logprob usage prompt_tokens completion_tokens"
    " error code status text prompt_tokens_details cached_tokens created model detail loc function_call refusal type"
    " param estimated_time"
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["<think>", "</think>\n", "stop", 10**40])
)
wild = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS.split()), inner, max_size=5),
    max_leaves=25,
)
wild_chunk = st.fixed_dictionaries(
    {
        "choices": st.lists(
            st.dictionaries(
                st.sampled_from(["delta", "message", "index", "logprobs", "finish_reason", "error", "text"]), wild
            ),
            max_size=3,
        )
        | wild
    },
    optional={"usage": wild, "error": wild, "id": wild, "model": wild, "created": wild},
)


@given(st.lists(wild | wild_chunk | st.binary(max_size=20), max_size=5), st.booleans())
def test_wild_json_never_raises_anything_but_a_provider_error(items: list[Any], done: bool) -> None:
    try:
        events = decode(*items, done=done)
    except ProviderError:
        return

    assert all(isinstance(event, TokenEvent) for event in events)


@given(wild | wild_chunk)
def test_wild_bodies_never_raise_anything_but_a_provider_error(body: Any) -> None:
    try:
        list(AnswerDecoder().decode_body(json.dumps(body).encode()))
    except ProviderError as error:
        assert error.sentence
