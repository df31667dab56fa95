"""Bodies of 200 answers, of whatever kind they turn out to be."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.credential import Credential
from chat.providers.errors import ProviderError
from chat.providers.events import Finished, TokenEvent
from chat.providers.reading import AnswerReader
from tests.providers.conftest import fold

STREAM = (
    "\ufeff: hello\r\n\r\n"
    + "".join(
        f"data: {json.dumps({'choices': [{'delta': {'content': text}}]}, ensure_ascii=False)}{end}{end}"
        for text, end in (("<think>Gr", "\n"), ("üße</th", "\r\n"), ("ink>\n\n👩‍🚀", "\r"), (" a\u2028b", "\n"))
    )
    + 'data: {"choices":[{"delta":{},\ndata: "finish_reason":"length"}]}\n\ndata: [DONE]\n\n'
).encode()
BODY = json.dumps({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}).encode()


def read(*chunks: bytes, credential: Credential | None = None) -> list[TokenEvent]:
    reader = AnswerReader(credential)
    events = [event for chunk in chunks for event in reader.read(chunk)]
    return events + list(reader.finish())


def failure(*chunks: bytes) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        read(*chunks, credential=Credential("sk-secret", "x", "Key", "cret"))
    return caught.value


def test_stream_is_read() -> None:
    events = read(STREAM)

    assert fold(events) == ("👩‍🚀 a\u2028b", "Grüße")
    assert Finished("length", "length") in events


@pytest.mark.parametrize("place", range(len(STREAM) + 1))
def test_stream_cut_at_any_byte_reads_the_same(place: int) -> None:
    assert read(STREAM[:place], STREAM[place:]) == read(STREAM)


@pytest.mark.parametrize("end", range(len(STREAM) + 1))
def test_stream_that_ends_at_any_byte_gives_a_beginning_and_tells_that_it_is_cut(end: int) -> None:
    reader, error = AnswerReader(None), None
    events: list[TokenEvent] = []
    try:
        events += reader.read(STREAM[:end])
        for event in reader.finish():
            events.append(event)
    except ProviderError as caught:
        error = caught

    text, reasoning = fold(events)
    assert "👩‍🚀 a\u2028b".startswith(text)
    assert "Grüße</think>".startswith(reasoning)
    assert (error is None) == any(isinstance(event, Finished) for event in events)
    assert error is None or error.kind in ("cut_off", "empty")


def test_stream_byte_by_byte_reads_the_same() -> None:
    assert read(*(bytes([byte]) for byte in STREAM)) == read(STREAM)


@pytest.mark.parametrize("start", [b"", b"\n\n  ", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_json_body_is_read_although_a_stream_was_asked(start: bytes) -> None:
    whole = start + BODY

    assert fold(read(whole)) == ("yes", "")
    assert read(*(bytes([byte]) for byte in whole)) == read(whole)


def test_error_body_is_read_although_the_status_was_200() -> None:
    error = failure(b'{"error":{"message":"no sk-secret here"}}')

    assert (error.kind, error.detail) == ("stream_error", "no ••• here")


def test_web_page_is_malformed_and_shown_without_the_secret() -> None:
    error = failure(b"<!doctype html><p>sk-secret")

    assert (error.kind, error.raw) == ("malformed", "<!doctype html><p>•••")


def test_endless_web_page_is_not_read_to_its_end() -> None:
    reader = AnswerReader()

    with pytest.raises(ProviderError, match="not an answer"):
        for _ in range(100):
            list(reader.read(b"<p>" + b"x" * 1000))


def test_plain_text_is_malformed_and_shown() -> None:
    assert failure(b"upstream ", b"timeout").raw == "upstream timeout"


@pytest.mark.parametrize("chunks", [[], [b""], [b"\n \n"], [b": keep-alive\n\n"], [b"data: [DONE]\n\n"]])
def test_nothing_is_empty(chunks: list[bytes]) -> None:
    assert failure(*chunks).kind == "empty"


def test_keep_alive_blanks_do_not_pile_up() -> None:
    reader = AnswerReader()

    for _ in range(1000):
        list(reader.read(b" " * 1000))

    assert len(reader._head) < 10


@given(st.lists(st.binary(max_size=30) | st.sampled_from([b"data: ", b"{", b"\n\n", b"<", b"}", b"[DONE]", BODY])))
def test_any_bytes_give_events_or_a_provider_error(chunks: list[bytes]) -> None:
    try:
        read(*chunks)
    except ProviderError as error:
        assert error.sentence
