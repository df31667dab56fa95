"""From the JSON of an answer to token events, in every dialect of chat completion chunks that servers speak.

Pure and incremental: `decode` for each server-sent event (or `decode_body` for an answer in one piece), then `flush`.
What it reads is hostile: any field may be missing or of any type, and only a ProviderError ever leaves it.
"""

from collections.abc import Iterator
from typing import Any

from chat.providers.credential import Credential, mask_tokens
from chat.providers.errors import Context, ProviderError, provider_error
from chat.providers.events import (
    Finished,
    Identified,
    ReasoningDelta,
    TokenEvent,
    UsageReport,
)
from chat.providers.logprobs import read_logprobs
from chat.providers.refusals import stream_failure, unwrap
from chat.providers.sse import ServerSentEvent
from chat.providers.thinking import Piece, ThinkTags
from chat.providers.tool_calls import ToolCallReader
from chat.providers.wild_json import count, label, mapping, parse, sequence, text, timestamp

# In the order in which clients of Hugging Face's router read them; a server sends one of these.
_REASONING_FIELDS = ("reasoning", "reasoning_content", "reasoning_text", "thinking")
_SSE_FIELDS = (b"data:", b"event:", b"id:", b"retry:")
_REASONS = {
    "stop": "stop",
    "stop_sequence": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
}


class AnswerDecoder:
    """One answer. `credential` only serves to word errors and to keep its secret out of them.

    `done` is True once the server said that no more comes, `has_output` once anything of the answer itself came.
    """

    def __init__(self, credential: Credential | None = None) -> None:
        self.done = False
        self._credential = credential
        self._tags = ThinkTags()
        self._tools = ToolCallReader()
        self._seen_identity = ("", "", "")
        self._identity = Identified("", "", "", None)
        self._usage: UsageReport | None = None
        self._finished: Finished | None = None
        self.has_output = False

    def decode(self, event: ServerSentEvent) -> Iterator[TokenEvent]:
        """The token events in one server-sent event; text that may be part of a tag is held back.

        Raises BrokenAnswer for what is not JSON, and whatever a provider's error inside the stream amounts to.
        """
        data = event.data
        if self.done or not data or data.isspace():
            return
        if data.strip() == b"[DONE]":
            self.done = True
            return
        try:
            chunk = parse(data)
        except ValueError:
            # The last event of a stream that was cut is half an event: `flush` says so.
            if event.complete or event.name == "error":
                raise self._unreadable(event) from None
            return
        yield from self._read(chunk, event.data, failed=event.name == "error")

    def decode_body(self, body: bytes) -> Iterator[TokenEvent]:
        """The token events in an answer that came as one JSON body."""
        try:
            answer = parse(body)
        except ValueError:
            raise provider_error("malformed", Context(status=200, raw=self._mask(body))) from None
        if "choices" not in mapping(answer) and not unwrap(answer).message:
            raise provider_error("malformed", Context(status=200, raw=self._mask(body)))
        yield from self._read(answer, body, failed=False)
        self.done = True

    def release(self) -> list[Piece]:
        """The text held back so far, to be shown too when the answer ends by an error."""
        return self._tags.flush()

    def flush(self, raw: bytes = b"") -> Iterator[TokenEvent]:
        """What is left at the end of the stream. `raw` is the beginning of a body that held no event.

        Raises BrokenAnswer: empty if nothing ever came, malformed if `raw` is of another kind, cut_off if the stream
        ended before the model did. A finish reason without `[DONE]` is a whole answer, and the other way round.
        """
        yield from self.release()
        if self._finished:
            return
        if self.done and self.has_output:
            yield Finished("stop", "")
            return
        if self.has_output or (any(self._seen_identity) and not self.done):
            raise provider_error("cut_off", Context(status=200))
        raise provider_error(_kind_of_nothing(raw), Context(status=200, raw=self._mask(raw)))

    def _read(self, chunk: object, raw: bytes, failed: bool) -> Iterator[TokenEvent]:
        if not isinstance(chunk, dict):
            raise provider_error("malformed", Context(status=200, raw=self._mask(raw)))
        if failed or chunk.get("error") or ("choices" not in chunk and unwrap(chunk).message):
            raise stream_failure(chunk, raw.decode("utf-8", "replace"), self._credential)
        identity = (label(chunk.get("id")), label(chunk.get("model")), label(chunk.get("system_fingerprint")))
        if identity != self._seen_identity:
            yield from self._identify(identity, chunk)
        choices = chunk.get("choices")
        if choices:
            yield from self._read_choices(choices, raw)
        usage = chunk.get("usage")
        if usage:
            yield from self._read_usage(mapping(usage))

    def _identify(self, identity: tuple[str, str, str], chunk: dict[str, Any]) -> Iterator[TokenEvent]:
        self._seen_identity = identity
        old = self._identity
        new = Identified(
            identity[0] or old.response_id,
            identity[1] or old.model,
            identity[2] or old.system_fingerprint,
            timestamp(chunk.get("created")) or old.created,
        )
        if new != old:
            self._identity = new
            yield new

    def _read_choices(self, choices: object, raw: bytes) -> Iterator[TokenEvent]:
        for choice in sequence(choices):
            # Only one answer is asked for; a second one would mix into it.
            if isinstance(choice, dict) and not count(choice.get("index")):
                yield from self._read_choice(choice, raw)

    def _read_choice(self, choice: dict[str, Any], raw: bytes) -> Iterator[TokenEvent]:
        delta = mapping(choice.get("delta") or choice.get("message"))
        reasoning = _reasoning(delta)
        if reasoning:
            self._tags.stop_looking()
            self.has_output = True
            yield ReasoningDelta(reasoning)
        content = _content(delta, choice)
        if content:
            self.has_output = True
            yield from self._tags.feed(content)
        for call in self._tools.read(delta):
            self.has_output = True
            yield call
        if choice.get("logprobs"):
            yield from read_logprobs(choice["logprobs"])
        if choice.get("error"):
            raise stream_failure(choice, raw.decode("utf-8", "replace"), self._credential)
        yield from self._finish(label(choice.get("finish_reason")))

    def _finish(self, raw_reason: str) -> Iterator[TokenEvent]:
        if raw_reason and (self._finished is None or self._finished.raw_reason != raw_reason):
            self._finished = Finished(_REASONS.get(raw_reason.lower(), raw_reason), raw_reason)
            yield self._finished

    def _read_usage(self, usage: dict[str, Any]) -> Iterator[TokenEvent]:
        report = UsageReport(
            count(usage.get("prompt_tokens")),
            count(usage.get("completion_tokens")),
            count(mapping(usage.get("completion_tokens_details")).get("reasoning_tokens")),
            count(mapping(usage.get("prompt_tokens_details")).get("cached_tokens")),
        )
        if report not in (self._usage, UsageReport(None, None, None, None)):
            self._usage = report
            yield report

    def _unreadable(self, event: ServerSentEvent) -> ProviderError:
        raw = event.data.decode("utf-8", "replace")
        if event.name == "error":
            return stream_failure(raw, raw, self._credential)
        return provider_error("malformed", Context(status=200, raw=self._mask(event.data)))

    def _mask(self, raw: bytes) -> str:
        return (self._credential.mask if self._credential else mask_tokens)(raw.decode("utf-8", "replace"))


def _reasoning(delta: dict[str, Any]) -> str:
    for name in _REASONING_FIELDS:
        found = delta.get(name) and (text(delta[name]) or _joined(delta[name]))
        if found:
            return found
    if "reasoning_details" in delta:
        return _joined(delta["reasoning_details"])
    content = delta.get("content")
    return "".join(_joined(mapping(part).get("thinking")) for part in content) if isinstance(content, list) else ""


def _content(delta: dict[str, Any], choice: dict[str, Any]) -> str:
    content = delta.get("content")
    if isinstance(content, str):
        return text(content)
    if content:
        return _joined(content)
    # A refusal is an answer too; `text` is the older completion format, which a few servers add to chunks.
    return text(delta.get("refusal")) or ("" if "delta" in choice else text(choice.get("text")))


def _kind_of_nothing(raw: bytes) -> str:
    """What a stream without an answer was: keep-alive comments alone are none, but no nonsense either."""
    start = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(_SSE_FIELDS):
        return "cut_off"
    begun = any(field.startswith(start) for field in (*_SSE_FIELDS, b"\xef\xbb\xbf"))
    return "empty" if begun or start.startswith(b":") else "malformed"


def _joined(parts: object) -> str:
    """The text of content that came as a list of parts."""
    return "".join(text(mapping(part).get("text")) for part in sequence(parts))
