"""A mirror becomes what its draft is, whatever is lost, late or doubled on the way."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chat import relay
from chat.markdown import render
from chat.providers.events import ReasoningDelta, TextDelta, TextWasReasoning, TokenEvent, ToolCallDelta, UsageReport
from chat.relay import Numbers
from chat.runs.draft import Draft
from chat.runs.lending import LEASE_SECONDS, Lending
from chat.runs.mirror import Feed, Mirror
from chat.runs.watch import Watching

RUN = 7
OWNER, WATCHER = 1, 2
WORDS = st.sampled_from(["a ", "word", " **bold** ", "\n\n", "- item\n", "```\n", "ü🙂", "|x|\n"])
EVENTS = st.one_of(
    st.builds(TextDelta, WORDS),
    st.builds(ReasoningDelta, WORDS),
    st.builds(ToolCallDelta, st.integers(0, 2), st.just("id"), st.just("name"), WORDS),
    st.builds(UsageReport, st.just(3), st.integers(0, 99), st.none(), st.none()),
    st.just(TextWasReasoning()),
)
# What becomes of the messages of a round.
FATES = st.sampled_from(["arrive", "arrive", "arrive", "lost", "late", "twice"])


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Line:
    """One direction of the connection: numbers what is sent, and may lose, double and delay it."""

    hear: Callable[[str, Any], None]
    missed: Callable[[], None]
    sent: int = 0
    numbers: Numbers | None = None
    late: list[tuple[int, list[relay.Word]]] = field(default_factory=list)

    def send(self, words: list[relay.Word], fate: str) -> None:
        self.sent += 1
        message = (self.sent, words)
        if fate == "late":
            self.late.append(message)
        elif fate != "lost":
            self._arrive(message)
            if fate == "twice":
                self._arrive(message)
            for delayed in self.late:
                self._arrive(delayed)
            self.late.clear()

    def _arrive(self, message: tuple[int, list[relay.Word]]) -> None:
        number, words = message
        self.numbers = self.numbers or Numbers(number - 1)
        is_news, is_gap = self.numbers.take(number)
        if is_gap:
            self.missed()
        for kind, what in words if is_news else []:
            self.hear(kind, what)


class Two:
    """The owner of a draft, a process that watches it, and what lies between them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.draft = Draft(RUN, "topic", "Before. ", self.clock)
        self.drafts = {RUN: self.draft}
        self.lending = Lending(self.drafts.get, self.clock)
        self.watching = Watching(self.clock)
        self.there = Line(self._owner_hears, lambda: None)
        self.back = Line(lambda kind, entries: self.watching.take(OWNER, entries), self.watching.doubt)
        self.mirror: Draft | None = None

    def round(self, fate: str = "arrive") -> None:
        self.clock.now += 0.5
        self.mirror = self.watching.draft_of(RUN) or self.mirror
        self.there.send([word for _, word in self.watching.collect()], fate)
        for _, word in self.lending.collect():
            self.back.send([word], fate)
        self.mirror = self.watching.draft_of(RUN) or self.mirror

    def _owner_hears(self, kind: str, run_ids: list[int]) -> None:
        {"ask": self.lending.ask, "keep": self.lending.keep}[kind](WATCHER, run_ids)


def shown(draft: Draft | None) -> dict[str, Any]:
    """All that a page can see of a draft."""
    assert draft is not None
    draft.body.advance()
    draft.thoughts.advance()
    return {
        "text": draft.text,
        "reasoning": draft.reasoning,
        "body": draft.body.text,
        "thoughts": draft.thoughts.text,
        "html": draft.body.snapshot().html,
        "tools": draft.tool_calls_json(),
        "meter": draft.meter(),
        "thought for": draft.reasoning_seconds(),
        "state": (draft.topic, draft.prefix, draft.streaming, draft.notice, draft.ended, draft.text_began),
    }


@given(st.lists(st.tuples(st.lists(EVENTS, max_size=4), FATES), max_size=30), st.booleans())
def test_a_mirror_ends_as_its_draft_whatever_happened_on_the_way(
    rounds: list[tuple[list[TokenEvent], str]], ends: bool
) -> None:
    two = Two()
    two.round()
    two.draft.start()
    for events, fate in rounds:
        for event in events:
            two.clock.now += 0.01
            two.draft.apply(event)
        two.round(fate)
    if ends:
        two.draft.end()

    for _ in range(20):
        two.round()

    mirror, draft = shown(two.mirror), shown(two.draft)
    assert {**mirror, "html": "", "meter": ""} == {**draft, "html": "", "meter": ""}
    assert _rounded(mirror["meter"]) == _rounded(draft["meter"])
    if ends:
        assert two.mirror is not None and two.mirror.body.final_html == render(two.draft.prefix + two.draft.text)


def _rounded(meter: Any) -> list[Any]:
    figures = (meter.first_token_seconds, meter.elapsed_seconds, meter.tokens, meter.tokens_per_second)
    return [figure if figure is None else round(figure, 6) for figure in figures]


def test_text_that_a_page_has_is_not_drawn_anew_for_a_gap() -> None:
    mirror = Mirror(RUN)
    draft = Draft(RUN, "topic")
    draft.apply(TextDelta("One two "))
    mirror.apply_entry(Feed(draft).whole())
    body = mirror.body
    mirror.doubt()
    draft.apply(TextDelta("three."))

    mirror.apply_entry(Feed(draft).whole())

    assert mirror.body is body
    assert mirror.text == "One two three."


def test_what_comes_while_in_doubt_changes_nothing() -> None:
    draft, mirror = Draft(RUN, "topic"), Mirror(RUN)
    feed = Feed(draft)
    mirror.apply_entry(feed.whole())
    mirror.doubt()
    draft.apply(TextDelta("the middle"))

    mirror.apply_entry(feed.take())

    assert mirror.text == ""


def test_a_run_that_begins_later_is_told_to_who_waits_for_it() -> None:
    two = Two()
    two.drafts.clear()
    two.round()
    assert two.mirror is None

    two.drafts[RUN] = two.draft
    two.draft.apply(TextDelta("At last"))
    two.round()

    assert shown(two.mirror)["text"] == "At last"


def test_a_run_of_the_same_id_elsewhere_is_not_mixed_in() -> None:
    two = Two()
    two.draft.apply(TextDelta("Ours. "))
    two.round()
    other = Feed(draft := Draft(RUN, "topic of a copy"))
    draft.apply(TextDelta("canary"))

    two.watching.take(OWNER + 2, [other.whole()])
    draft.apply(TextDelta("canary"))
    two.watching.take(OWNER + 2, [other.take()])

    assert shown(two.mirror)["text"] == "Ours. "


def test_who_asks_no_more_is_told_no_more() -> None:
    two = Two()
    two.round()
    two.clock.now += LEASE_SECONDS + 1
    two.draft.apply(TextDelta("unheard"))

    assert two.lending.collect() == []
    assert not two.draft.watchers


def test_pieces_of_a_round_go_as_one() -> None:
    draft = Draft(RUN, "topic")
    feed = Feed(draft)
    feed.whole()
    for word in ["one", "two", "three"]:
        draft.apply(TextDelta(word))

    assert feed.take()[:4] == [RUN, 3, "onetwothree", ""]
    assert not feed.has_news
