"""The answer while it is being written, in the memory of the process that writes it.

A worker folds token events into its draft; watchers read what is new at their own pace, and the journal takes
what is not yet on disk. Everything here happens on the event loop's thread. Nothing here does I/O.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from chat.markdown.stream import BlockStream
from chat.providers.events import (
    Finished,
    Identified,
    LogprobsDelta,
    ReasoningDelta,
    ResponseStarted,
    TextDelta,
    TextWasReasoning,
    TokenEvent,
    TokenLogprob,
    ToolCallDelta,
    UsageReport,
)
from chat.runs.models import RunChunk

Piece = tuple[str, str]
Wake = Callable[[], None]
# A hostile server must not fill the memory; far above any real answer.
MAX_CHARACTERS = 4_000_000
MAX_TOOL_CALLS = 128
# What a log probability takes in memory, in characters.
LOGPROB_CHARACTERS = 16


@dataclass(slots=True)
class ToolCall:
    """A call the model asks for; its arguments are the pieces of a JSON text, perhaps still incomplete."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Meter:
    """The live figures under an answer. Seconds; ``tokens`` counts deltas until the provider reports usage.

    ``first_token_seconds`` counts from the request that was answered, not from those that were refused before it.
    """

    first_token_seconds: float | None
    elapsed_seconds: float
    tokens: int
    tokens_per_second: float | None


class Draft:
    """One live answer. ``prefix`` is the earlier text that a continuation goes on from."""

    def __init__(self, run_id: int, topic: str, prefix: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self.run_id = run_id
        self.topic = topic
        self.prefix = prefix
        self.streaming = False
        self.stopping = False
        self.notice = ""
        self.ended = False
        self.body = BlockStream()
        self.thoughts = BlockStream()
        self.tool_calls: list[ToolCall] = []
        self.tools_version = 0
        self.logprobs: list[TokenLogprob] = []
        self.identity: Identified | None = None
        self.response: ResponseStarted | None = None
        self.usage: UsageReport | None = None
        self.finished: Finished | None = None
        self.watchers: set[Wake] = set()
        self._clock = clock
        self._created = self._started = clock()
        self._first_token: float | None = None
        self._first_text: float | None = None
        self._ended_at: float | None = None
        self._deltas = 0
        self._characters = 0
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._unsaved: list[Piece] = []
        self._seq = 0
        if prefix:
            self.body.feed(prefix)

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)

    @property
    def pieces(self) -> tuple[int, int]:
        """Of how many pieces text and reasoning are made: cursors for ``text_from`` and ``reasoning_from``."""
        return len(self._text), len(self._reasoning)

    def text_from(self, piece: int) -> str:
        return "".join(self._text[piece:])

    def reasoning_from(self, piece: int) -> str:
        return "".join(self._reasoning[piece:])

    @property
    def deltas(self) -> int:
        """How many pieces of text, reasoning and tool calls have come."""
        return self._deltas

    @property
    def state(self) -> tuple[object, ...]:
        """Changes with everything that a page shows beside the text."""
        times = (self._started, self._first_token, self._first_text)
        return (self.streaming, self.notice, self.ended, times, self.usage)

    @property
    def has_output(self) -> bool:
        """Whether anything of an answer has come: from here on a request is never sent a second time."""
        return self._first_token is not None

    @property
    def has_reasoning(self) -> bool:
        return bool(self._reasoning)

    @property
    def text_began(self) -> bool:
        """Whether the model has gone from thinking to answering."""
        return self._first_text is not None

    @property
    def overflowing(self) -> bool:
        return self._characters > MAX_CHARACTERS

    def start(self) -> None:
        """The request leaves now; durations are counted from here."""
        self.streaming = True
        self.notice = ""
        self._started = self._clock()
        self.wake()

    def say(self, notice: str) -> None:
        """Show a sentence in place of the text, such as what the run waits for."""
        self.notice = notice
        self.wake()

    def end(self) -> None:
        """No more events will come."""
        self.ended = True
        self._ended_at = self._clock()
        self.body.finish()
        self.thoughts.finish()

    def wake(self) -> None:
        for wake in self.watchers:
            wake()

    def apply(self, event: TokenEvent) -> None:
        """Fold one event in and wake the watchers."""
        match event:
            case TextDelta(text=text):
                self._add(self._text, self.body, RunChunk.Kind.TEXT, text)
                if self._first_text is None:
                    self._first_text = self._clock()
            case ReasoningDelta(text=text):
                self._add(self._reasoning, self.thoughts, RunChunk.Kind.REASONING, text)
            case TextWasReasoning():
                self._move_text()
            case ToolCallDelta():
                self._add_tool_call(event)
            case LogprobsDelta(tokens=tokens):
                self.logprobs.extend(tokens)
                self._characters += LOGPROB_CHARACTERS * sum(1 + len(token.top) for token in tokens)
            case Identified():
                self.identity = event
            case UsageReport():
                self.usage = event
            case Finished():
                self.finished = event
            case ResponseStarted():
                self.response = event
        self.wake()

    def take_unsaved(self) -> list[RunChunk]:
        """What the journal has not got yet, neighbours of a kind merged; it is the caller's from here on."""
        merged: list[tuple[str, list[str]]] = []
        for kind, text in self._unsaved:
            if merged and merged[-1][0] == kind != RunChunk.Kind.MOVED:
                merged[-1][1].append(text)
            else:
                merged.append((kind, [text]))
        self._unsaved.clear()
        chunks = []
        for kind, texts in merged:
            chunks.append(RunChunk(run_id=self.run_id, seq=self._seq, kind=kind, text="".join(texts)))
            self._seq += 1
        return chunks

    def meter(self) -> Meter:
        """Figures as of now, or as of the end."""
        now = self._ended_at or self._clock()
        first = None if self._first_token is None else self._first_token - self._started
        elapsed = now - (self._started if self.streaming else self._created)
        tokens = self._tokens()
        writing = elapsed - (first or 0.0)
        rate = tokens / writing if first is not None and writing > 0.05 and tokens > 1 else None
        return Meter(first, elapsed, tokens, rate)

    def reasoning_seconds(self) -> float | None:
        """How long the model thought: from its first token to the first word of the answer, or until now."""
        if not self._reasoning or self._first_token is None:
            return None
        return (self._first_text or self._ended_at or self._clock()) - self._first_token

    def ages(self) -> list[float | None]:
        """How many seconds ago it was made, started, said its first token and first word, and ended."""
        now = self._clock()
        times = (self._created, self._started, self._first_token, self._first_text, self._ended_at)
        return [None if at is None else now - at for at in times]

    def be_as_old(self, ages: list[float | None]) -> None:
        """Take over ``ages`` from another process, whose clock says other times."""
        now = self._clock()
        created, started, self._first_token, self._first_text, self._ended_at = (
            None if age is None else now - age for age in ages
        )
        self._created, self._started = created or now, started or now

    def tool_calls_json(self) -> list[dict[str, Any]]:
        calls = self.tool_calls
        return [{"id": call.id, "name": call.name, "arguments": "".join(call.arguments)} for call in calls]

    def _tokens(self) -> int:
        """Those that came since the first one: what was thought before it in secret took no part of the time since."""
        if self.usage is None or not self.usage.completion_tokens:
            return self._deltas
        secret = 0 if self._reasoning else self.usage.reasoning_tokens or 0
        return max(self.usage.completion_tokens - secret, 0) or self._deltas

    def _add(self, parts: list[str], blocks: BlockStream, kind: str, text: str) -> None:
        if not text:
            return
        self._count(text)
        parts.append(text)
        blocks.feed(text)
        self._unsaved.append((kind, text))

    def _move_text(self) -> None:
        """The text was thinking after all: a new, empty answer body, which watchers show as a fresh snapshot."""
        moved = self.text
        if not moved:
            return
        self._text.clear()
        self._first_text = None
        self._reasoning.append(moved)
        self.thoughts.feed(moved)
        self.body = BlockStream()
        if self.prefix:
            self.body.feed(self.prefix)
        self._unsaved.append((RunChunk.Kind.MOVED, ""))

    def _add_tool_call(self, delta: ToolCallDelta) -> None:
        if delta.index >= MAX_TOOL_CALLS:
            return
        while len(self.tool_calls) <= delta.index:
            self.tool_calls.append(ToolCall())
        call = self.tool_calls[delta.index]
        call.id = delta.id or call.id
        call.name = delta.name or call.name
        call.arguments.append(delta.arguments)
        self._count(delta.arguments)
        self.tools_version += 1

    def _count(self, text: str) -> None:
        self._deltas += 1
        self._characters += len(text)
        if self._first_token is None:
            self._first_token = self._clock()
