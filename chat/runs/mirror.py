"""A draft that lives in another process: what its owner tells of it, and the copy that is made of that.

``Feed`` is the owner's side, a cursor into a draft; ``Mirror`` is a draft that is fed with what a feed gives instead
of with token events. An entry is a short list of plain values. Both work on the event loop; neither does I/O.
"""

import time
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

from chat.markdown.stream import BlockStream
from chat.providers.events import ReasoningDelta, TextDelta, ToolCallDelta, UsageReport
from chat.runs.draft import Draft

Entry = list[Any]


class Feed:
    """How far one draft has been told. An entry holds the run, how many deltas it has come to, its new text,
    reasoning and parts of tool calls, and the facts where they changed; a whole one also topic and prefix."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._body: BlockStream = draft.body
        self._text = self._reasoning = 0
        self._deltas = 0
        self._tools_version = 0
        self._arguments: list[int] = []
        self._state: object = None

    @property
    def has_news(self) -> bool:
        draft = self.draft
        return self._deltas != draft.deltas or self._state != draft.state

    def take(self) -> Entry:
        """What is new since the last call; whole where the text became thoughts, so that what was told is void."""
        if self._body is not self.draft.body:
            return self.whole()
        return self._entry()

    def whole(self) -> Entry:
        """Everything, for who has nothing; the next ``take`` goes on from here."""
        self._body = self.draft.body
        self._text = self._reasoning = self._tools_version = 0
        self._arguments = []
        self._state = None
        return [*self._entry(), self.draft.topic, self.draft.prefix]

    def _entry(self) -> Entry:
        draft = self.draft
        text, reasoning = draft.text_from(self._text), draft.reasoning_from(self._reasoning)
        self._text, self._reasoning = draft.pieces
        self._deltas = draft.deltas
        calls = self._calls() if self._tools_version != draft.tools_version else None
        facts = self._facts() if self._state != draft.state else None
        return [draft.run_id, draft.deltas, text, reasoning, calls, facts]

    def _calls(self) -> list[Any]:
        told, self._arguments = self._arguments, [len(call.arguments) for call in self.draft.tool_calls]
        self._tools_version = self.draft.tools_version
        told += [-1] * (len(self._arguments) - len(told))
        return [
            [index, call.id, call.name, "".join(call.arguments[max(told[index], 0) :])]
            for index, call in enumerate(self.draft.tool_calls)
            if told[index] != self._arguments[index]
        ]

    def _facts(self) -> list[Any]:
        draft, self._state = self.draft, self.draft.state
        usage = list(astuple(draft.usage)) if draft.usage else None
        return [draft.streaming, draft.notice, draft.ended, draft.ages(), usage]


class Mirror(Draft):
    """A draft as its owner tells it. Until the first whole entry, and after ``doubt``, it takes whole ones only."""

    def __init__(self, run_id: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(run_id, "", clock=clock)
        self.is_sure = False

    def doubt(self) -> None:
        """Something was missed: what comes now may not fit."""
        self.is_sure = False

    def apply_entry(self, entry: Entry) -> None:
        """Become what the draft was when the entry was made."""
        _, deltas, text, reasoning, calls, facts, *beginning = entry
        if self.ended or not (self.is_sure or beginning):
            return
        if beginning:
            self._begin(text, reasoning, *beginning)
            text, reasoning = text[len(self.text) :], reasoning[len(self.reasoning) :]
        for index, call_id, name, arguments in calls or ():
            self.apply(ToolCallDelta(index, call_id, name, arguments))
        if reasoning:
            self.apply(ReasoningDelta(reasoning))
        if text:
            self.apply(TextDelta(text))
        # Those came in one piece, and are in the journal of their owner.
        self._deltas = deltas
        self._unsaved.clear()
        if facts is not None:
            self._take_facts(*facts)
        self.wake()

    def _begin(self, text: str, reasoning: str, topic: str, prefix: str) -> None:
        """Keep what is a beginning of the whole, as it nearly always is, so that pages need nothing anew."""
        self.is_sure = True
        self.topic = topic
        self.tool_calls = []
        if self.prefix != prefix or not text.startswith(self.text):
            self._text.clear()
            self.prefix = prefix
            self.body = BlockStream()
            self.body.feed(prefix)
        if not reasoning.startswith(self.reasoning):
            self._reasoning.clear()
            self.thoughts = BlockStream()

    def _take_facts(
        self, streaming: bool, notice: str, ended: bool, ages: list[float | None], usage: list[int | None] | None
    ) -> None:
        self.streaming, self.notice = streaming, notice
        self.usage = UsageReport(*usage) if usage else None
        self.be_as_old(ages)
        if ended:
            self.end()
            self.be_as_old(ages)
