"""Server-sent events, by the paragraphs of WHATWG HTML 9.2.5 (format) and 9.2.6 (interpretation)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.errors import ProviderError
from chat.providers.sse import ServerSentEvent, SSEDecoder


def decode(*chunks: bytes, limit: int = 10_000) -> list[ServerSentEvent]:
    decoder = SSEDecoder(limit)
    events = [event for chunk in chunks for event in decoder.decode(chunk)]
    return events + decoder.flush()


def data(*chunks: bytes) -> list[bytes]:
    return [event.data for event in decode(*chunks)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_each_of_the_three_line_ends_ends_a_line(end: bytes) -> None:
    assert data(b"data: one", end, end, b"data: two" + end + end) == [b"one", b"two"]


def test_other_unicode_line_separators_are_part_of_the_data() -> None:
    text = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg".encode()

    assert data(b"data: " + text + b"\n\n") == [text]


def test_only_one_space_after_the_colon_is_dropped() -> None:
    assert data(b"data:one\n\n", b"data:  two\n\n", b"data: \n\n", b"data\n\n") == [b"one", b" two", b"", b""]


def test_data_lines_of_one_event_are_joined_by_line_feeds() -> None:
    assert data(b"data: one\ndata: two\ndata:\n\n") == [b"one\ntwo\n"]


def test_comments_and_unknown_fields_are_ignored() -> None:
    assert data(b": keep-alive\n\nid: 7\nretry: 10\nfoo: bar\ndatax: no\n Data: no\ndata: yes\n\n") == [b"yes"]


def test_event_name_belongs_to_one_event_only() -> None:
    events = decode(b"event: error\ndata: a\n\ndata: b\n\nevent: lost\n\ndata: c\n\n")

    assert [(event.name, event.data) for event in events] == [("error", b"a"), ("", b"b"), ("", b"c")]


def test_byte_order_mark_is_dropped_at_the_start_only() -> None:
    assert data(b"\xef", b"\xbb", b"\xbfdata: one\n\n", b"\xef\xbb\xbfdata: two\n\ndata: three\n\n") == [
        b"one",
        b"three",
    ]


def test_byte_order_mark_after_an_event_in_one_read_is_part_of_its_line() -> None:
    assert data(b"data: one\n\n", b"\xef\xbb\xbfdata: two\n\n") == [b"one"]


def test_line_feed_after_a_read_that_ended_in_carriage_return_is_no_second_line_end() -> None:
    assert data(b"data: one\r", b"\ndata: two\r", b"\n\r", b"\n") == [b"one\ntwo"]


def test_carriage_return_gives_the_event_without_waiting_for_a_line_feed() -> None:
    assert SSEDecoder().decode(b"data: one\r\r") == [ServerSentEvent(b"one")]


def test_one_read_event_after_a_carriage_return_keeps_the_next_line_feed() -> None:
    decoder = SSEDecoder()

    decoder.decode(b"data: one\r\r")
    decoder.decode(b"data: two\n\n")

    assert decoder.decode(b"data: three") == []
    assert decoder.decode(b"\n") == []
    assert decoder.decode(b"\n") == [ServerSentEvent(b"three")]


def test_unfinished_event_at_the_end_is_given_and_marked() -> None:
    assert decode(b"data: one\n\ndata: [DONE]") == [ServerSentEvent(b"one"), ServerSentEvent(b"[DONE]", "", False)]


@pytest.mark.parametrize(
    "chunks",
    [
        [b"data: " + b"x" * 200],
        [b"data: " + b"x" * 200 + b"\n\n"],
        [b"data: " + b"x" * 40 + b"\n"] * 4,
        [b": " + b"x" * 60] * 3,
        [b"x"] * 200,
    ],
)
def test_more_than_the_limit_without_an_end_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(ProviderError) as caught:
        decode(*chunks, limit=100)

    assert caught.value.kind == "too_long_line"


def test_many_events_together_may_be_larger_than_the_limit() -> None:
    assert len(decode(b"data: 0123456789\n\n" * 100, limit=100)) == 100


def test_line_of_the_largest_size_in_small_pieces_is_read() -> None:
    decoder = SSEDecoder()
    decoder.decode(b"data: ")

    # Copying what is pending at each piece would be 130 GB of copying.
    for _ in range(65_000):
        decoder.decode(b"x" * 64)

    assert [len(event.data) for event in decoder.decode(b"\n\n")] == [65_000 * 64]


stream_text = st.lists(
    st.sampled_from(
        [
            b"data:",
            b"data: ",
            b"event: e",
            b": c",
            b"\n",
            b"\n\n",
            b"\r",
            b"\r\n",
            b"\xef\xbb\xbf",
            "é😀\u2028".encode(),
            b"x",
            b"id: 1",
        ]
    ),
    max_size=30,
).map(b"".join)


@given(stream_text, st.data())
def test_stream_cut_anywhere_gives_the_same_events(stream: bytes, draw: st.DataObject) -> None:
    places = sorted(draw.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]

    assert decode(*pieces) == decode(stream)


@given(stream_text)
def test_stream_read_byte_by_byte_gives_the_same_events(stream: bytes) -> None:
    assert decode(*(bytes([byte]) for byte in stream)) == decode(stream)


@given(st.binary(max_size=200))
def test_any_bytes_are_survived(stream: bytes) -> None:
    assert all(b"\r" not in event.data for event in decode(stream))
