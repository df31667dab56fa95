"""A key that comes back in an answer is hidden, however the answer is cut into pieces; all else is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.credential import MASK, Credential
from chat.providers.events import (
    Finished,
    Identified,
    LogprobsDelta,
    ReasoningDelta,
    TextDelta,
    TextWasReasoning,
    TokenEvent,
    TokenLogprob,
    ToolCallDelta,
    UsageReport,
)
from chat.providers.screen import Screen

SECRET = "hf_hfx_aba"
KEY = Credential(SECRET, "host.example", "Team key", "_aba")


def shown(*events: TokenEvent, key: Credential = KEY) -> list[TokenEvent]:
    screen = Screen(key)
    return [out for event in events for out in screen.through(event)] + list(screen.flush())


def text_of(events: list[TokenEvent], kind: type[TextDelta] | type[ReasoningDelta] = TextDelta) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


def cut(text: str, places: list[int]) -> list[str]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in zip(edges, edges[1:], strict=False)]


around = st.lists(st.sampled_from(["hf_", "h", "hf_hfx_ab", "x", "🌊", "_aba", SECRET, " "]), max_size=12).map("".join)


@given(around, st.lists(st.integers(0, 200), max_size=20))
def test_text_is_shown_as_if_it_had_come_whole_and_masked(text: str, places: list[int]) -> None:
    events = shown(*map(TextDelta, cut(text, places)))

    assert text_of(events) == text.replace(SECRET, MASK)
    assert all(isinstance(event, TextDelta) and event.text for event in events)


@given(around, st.lists(st.integers(0, 200), max_size=20))
def test_tokens_that_spell_it_are_hidden_and_all_others_kept(text: str, places: list[int]) -> None:
    tokens = [TokenLogprob(piece, -0.5, ((piece, -0.5), (SECRET, -9.0))) for piece in cut(text, places)]

    events = shown(*(LogprobsDelta((token,)) for token in tokens))
    out = [token for event in events if isinstance(event, LogprobsDelta) for token in event.tokens]

    assert len(out) == len(tokens) and [token.logprob for token in out] == [-0.5] * len(tokens)
    assert SECRET not in "".join(token.token for token in out) and SECRET not in str(out)
    if SECRET not in text:
        assert [token.token for token in out] == [token.token for token in tokens]


def test_each_part_of_an_answer_is_screened() -> None:
    events = shown(
        Identified(f"id-{SECRET}", SECRET, SECRET, 1),
        ReasoningDelta("thinks hf_hf"),
        ReasoningDelta("x_aba."),
        ToolCallDelta(0, SECRET, SECRET, '{"a": "hf_h'),
        ToolCallDelta(1, "", "", "hf_"),
        ToolCallDelta(0, "", "", 'fx_aba"}'),
        UsageReport(1, 2, 3, 4),
        Finished(SECRET, SECRET),
    )

    assert SECRET not in str(events)
    assert text_of(events, ReasoningDelta) == f"thinks {MASK}."
    arguments = {0: "", 1: ""}
    for event in events:
        if isinstance(event, ToolCallDelta):
            arguments[event.index] += event.arguments
    assert arguments == {0: f'{{"a": "{MASK}"}}', 1: "hf_"}
    assert events.index(UsageReport(1, 2, 3, 4)) < events.index(Finished(MASK, MASK)) == len(events) - 1


def test_what_is_held_back_goes_before_text_that_turns_out_to_be_thinking() -> None:
    assert shown(TextDelta("thought h"), TextWasReasoning(), TextDelta("x")) == [
        TextDelta("thought "),
        TextDelta("h"),
        TextWasReasoning(),
        TextDelta("x"),
    ]


@pytest.mark.parametrize("spelled", ['a"b\\c&d+e', 'a\\"b\\\\c&d+e', "a%22b%5Cc%26d%2Be", "a&quot;b\\c&amp;d+e"])
def test_other_spellings_of_it_are_hidden_too(spelled: str) -> None:
    key = Credential('a"b\\c&d+e', "host.example", "Team key", "")

    assert text_of(shown(*map(TextDelta, f"<{spelled}>"), key=key)) == f"<{MASK}>"


def test_values_of_headers_are_hidden_and_short_ones_are_not() -> None:
    key = Credential("", "host.example", "Team key", "", named=(("X-Key", "canary-of-a-header"), ("X-Org", "lab")))

    assert text_of(shown(*map(TextDelta, "lab: canary-of-a-header"), key=key)) == f"lab: {MASK}"
