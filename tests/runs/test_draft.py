"""The draft folds token events, measures them, and hands the journal each piece once."""

from chat.providers.events import (
    Finished,
    LogprobsDelta,
    ReasoningDelta,
    TextDelta,
    TextWasReasoning,
    TokenLogprob,
    ToolCallDelta,
    UsageReport,
)
from chat.runs.draft import MAX_TOOL_CALLS, Draft
from chat.runs.models import RunChunk, text_of_chunks


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_text_and_reasoning_are_kept_apart() -> None:
    draft = Draft(1, "t")

    draft.apply(ReasoningDelta("Hm. "))
    draft.apply(TextDelta("The "))
    draft.apply(TextDelta("sea."))

    assert (draft.text, draft.reasoning) == ("The sea.", "Hm. ")


def test_text_that_turns_out_to_be_reasoning_moves() -> None:
    draft = Draft(1, "t")
    draft.apply(TextDelta("I should think."))

    draft.apply(TextWasReasoning())
    draft.apply(TextDelta("Answer."))

    assert (draft.text, draft.reasoning) == ("Answer.", "I should think.")
    assert text_of_chunks(draft.take_unsaved()) == ("Answer.", "I should think.")


def test_the_journal_gets_every_piece_once_and_neighbours_merged() -> None:
    draft = Draft(1, "t")
    for text in ("a", "b", "c"):
        draft.apply(TextDelta(text))

    first, second = draft.take_unsaved(), draft.take_unsaved()

    assert [(chunk.seq, chunk.kind, chunk.text) for chunk in first] == [(0, RunChunk.Kind.TEXT, "abc")]
    assert second == []


def test_fragments_of_a_tool_call_are_joined() -> None:
    draft = Draft(1, "t")

    draft.apply(ToolCallDelta(0, "call_1", "weather", ""))
    draft.apply(ToolCallDelta(0, "", "", '{"city":'))
    draft.apply(ToolCallDelta(0, "", "", '"Wien"}'))

    assert draft.tool_calls_json() == [{"id": "call_1", "name": "weather", "arguments": '{"city":"Wien"}'}]


def test_a_hostile_number_of_tool_calls_is_not_stored() -> None:
    draft = Draft(1, "t")

    draft.apply(ToolCallDelta(10**9, "x", "y", "z"))

    assert len(draft.tool_calls) < MAX_TOOL_CALLS


def test_the_meter_counts_from_when_the_request_left() -> None:
    clock = Clock()
    draft = Draft(1, "t", clock=clock)
    clock.now += 50
    draft.start()
    clock.now += 0.5
    for _ in range(11):
        draft.apply(TextDelta("x"))
    clock.now += 2

    meter = draft.meter()

    assert (meter.first_token_seconds, meter.elapsed_seconds, meter.tokens) == (0.5, 2.5, 11)
    assert meter.tokens_per_second == 5.5


def test_reported_usage_replaces_the_count_of_pieces() -> None:
    clock = Clock()
    draft = Draft(1, "t", clock=clock)
    draft.start()
    draft.apply(TextDelta("x"))
    draft.apply(UsageReport(10, 40, None, None))
    draft.apply(Finished("stop", "stop"))
    clock.now += 2

    draft.end()

    assert draft.meter().tokens_per_second == 20


def test_thoughts_that_nobody_saw_do_not_count_as_speed() -> None:
    clock = Clock()
    draft = Draft(1, "t", clock=clock)
    draft.start()
    clock.now += 30
    draft.apply(TextDelta("x"))
    draft.apply(UsageReport(10, 1040, 1000, None))
    clock.now += 2

    draft.end()

    assert draft.meter().tokens_per_second == 20


def test_the_first_token_is_timed_from_the_request_that_was_answered() -> None:
    clock = Clock()
    draft = Draft(1, "t", clock=clock)
    draft.start()
    clock.now += 20
    draft.start()
    clock.now += 0.5
    draft.apply(TextDelta("x"))

    assert draft.meter().first_token_seconds == 0.5


def test_log_probabilities_without_end_overflow() -> None:
    draft = Draft(1, "t")
    token = TokenLogprob("x", -1.0, (("x", -1.0), ("y", -2.0)))

    for _ in range(1000):
        draft.apply(LogprobsDelta((token,) * 100))

    assert draft.overflowing


def test_watchers_are_woken_by_every_event() -> None:
    draft, woken = Draft(1, "t"), []
    draft.watchers.add(lambda: woken.append(1))

    draft.apply(TextDelta("a"))
    draft.apply(TextDelta("b"))

    assert len(woken) == 2


def test_thinking_time_ends_with_the_first_word_of_the_answer() -> None:
    clock = Clock()
    draft = Draft(1, "t", clock=clock)
    draft.start()
    draft.apply(ReasoningDelta("Hm"))
    clock.now += 3
    draft.apply(TextDelta("So"))
    clock.now += 60

    seconds = draft.reasoning_seconds()

    assert seconds == 3
