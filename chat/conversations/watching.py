"""Follows live answers for one page: keeps a cursor into each draft and turns what is new into frames.

Nothing is pushed here: the pump asks for a frame at its own pace, and what the page has not taken yet simply waits
in the draft. Everything runs on the event loop.
"""

import time

from chat import metrics
from chat.conversations.frames import live_partial, swap
from chat.markdown.ops import op_markup
from chat.markdown.stream import BlockStream
from chat.runs import supervisor
from chat.runs.draft import Draft

# Figures are read by people; a few changes a second is what they can take in.
FRAMES_PER_METER = 10


class StreamCursor:
    """How far a page has come in one BlockStream; ``root`` is the id of the element that shows it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._blocks: BlockStream | None = None
        self._cursor = 0

    def take(self, blocks: BlockStream) -> str:
        """What is new since the last call, or everything where this page has nothing yet or fell too far behind."""
        blocks.advance()
        ops = blocks.ops_since(self._cursor) if self._blocks is blocks else None
        if ops is None:
            snapshot = blocks.snapshot()
            metrics.SNAPSHOTS_SENT.inc()
            self._blocks, self._cursor = blocks, snapshot.cursor
            return swap(f"#{self.root}", snapshot.html)
        # Not len(ops): what is read in one go comes merged.
        self._cursor = blocks.cursor
        return "".join(op_markup(self.root, op) for op in ops)

    def shows(self, blocks: BlockStream) -> bool:
        """Whether the page has exactly the final HTML of ``blocks``."""
        return self._blocks is blocks and self._cursor == blocks.cursor and blocks.matches_final


class WatchedRun:
    """One live answer on one page."""

    def __init__(self, draft: Draft, message_id: int) -> None:
        self.draft = draft
        self._message_id = message_id
        self._body = StreamCursor(f"answer-{draft.run_id}-body")
        self._thoughts = StreamCursor(f"answer-{draft.run_id}-reasoning-body")
        self._thinking_shown = False
        self._tools_version = 0
        self._meter_due = 0.0
        self._state: tuple[bool, str] | None = None

    def take(self) -> str:
        """The frame that brings the page up to now; empty where nothing is new."""
        draft, parts = self.draft, []
        state = (draft.streaming, draft.notice)
        now = time.monotonic()
        if begins := state != self._state:
            parts.append(self._partial("_answer_foot"))
            self._state = state
        parts.append(self._texts())
        if now >= self._meter_due:
            # The foot has come with its meter.
            parts.append(self._figures() if begins else self._partial("_answer_meter") + self._figures())
            self._meter_due = now + FRAMES_PER_METER * supervisor.pace()
        return "".join(parts)

    def last(self) -> str:
        """What the bodies still lack of the final HTML once the draft has ended."""
        parts = [self._texts()]
        shown = [(self._body, self.draft.body)]
        if self.draft.has_reasoning:
            shown.append((self._thoughts, self.draft.thoughts))
        for cursor, blocks in shown:
            if not cursor.shows(blocks):
                parts.append(swap(f"#{cursor.root}", blocks.final_html))
        return "".join(parts)

    def _texts(self) -> str:
        parts = []
        if self.draft.has_reasoning:
            if not self._thinking_shown:
                parts.append(self._partial("_reasoning"))
                self._thinking_shown = True
            parts.append(self._thoughts.take(self.draft.thoughts))
        parts.append(self._body.take(self.draft.body))
        return "".join(parts)

    def _figures(self) -> str:
        parts = []
        if self._tools_version != self.draft.tools_version:
            self._tools_version = self.draft.tools_version
            parts.append(self._partial("_tool_calls"))
        if self.draft.has_reasoning:
            parts.append(self._partial("_reasoning_label"))
        return "".join(parts)

    def _partial(self, name: str) -> str:
        return live_partial(name, self.draft, self._message_id)
