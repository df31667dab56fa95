"""One chat completion request at the fake provider, and the means to answer it, as a stream or in one piece.

Scenarios register themselves here by name; `tests.fake_provider` plays them.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Delta = dict[str, Any]


@dataclass
class Recorded:
    """A request as it arrived. `left` is set when the client closed the connection before the answer was complete."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    peer: object = None
    at: float = field(default_factory=time.monotonic)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    left_at: float | None = None
    completed: bool = False

    def leave(self) -> None:
        """The client closed the connection just now."""
        self.left_at = time.monotonic()
        self.left.set()


class Gate:
    """Holds a stream until it is released, piece by piece or for good."""

    def __init__(self) -> None:
        self._permits = asyncio.Semaphore(0)
        self._open = False

    async def passed(self) -> None:
        """Wait for one release."""
        if not self._open:
            await self._permits.acquire()

    def release(self, pieces: int = 1) -> None:
        """Let this many pieces through."""
        for _ in range(pieces):
            self._permits.release()

    def open(self) -> None:
        """Hold nothing any more."""
        self._open = True
        self.release(1000)


class Call:
    """A request for an answer. Scenarios call `say`, `delta`, `tool` and in the end `end`, or the parts of it."""

    def __init__(
        self, request: web.Request, body: dict[str, Any], scenario: str, argument: int | None, served_by: str
    ) -> None:
        self.request = request
        self.body = body
        self.scenario = scenario
        self.argument = argument
        self.served_by = served_by
        self.gate = Gate()
        self.times_asked = 1
        self.streaming = body.get("stream", False) is True
        self.extra_headers: dict[str, str] = {}
        # What every text of the answer, whatever it is, is followed by.
        self.repeated = ""
        self.usage_asked = not self.streaming or bool((body.get("stream_options") or {}).get("include_usage"))
        self.response_id = "chatcmpl-fake"
        self.answering_model = str(body.get("model", ""))
        self._response: web.StreamResponse | None = None
        self._message: dict[str, Any] = {"role": "assistant", "content": ""}
        self._logprobs: list[Any] = []
        self._whole: dict[str, Any] = {}
        self._deltas = 0

    async def say(self, text: str) -> None:
        """Write a text word by word, spaces kept."""
        words = text.split(" ")
        for place, word in enumerate(words):
            await self.delta({"content": word if place == len(words) - 1 else word + " "})

    async def tool(self, fragment: dict[str, Any]) -> None:
        await self.delta({"tool_calls": [fragment]})

    async def delta(self, delta: Delta, logprobs: Any = None, **fields: Any) -> None:
        """Write one chunk with this delta; `fields` are added to the chunk."""
        self._deltas += 1
        self._collect(delta, logprobs)
        if self.streaming:
            await self.event(self.chunk(delta, logprobs) | fields)

    async def end(self, reason: str = "stop", reasoning_tokens: int = 0) -> None:
        """Finish reason, usage if it was asked for, and [DONE]."""
        await self.finish(reason)
        if self.usage_asked:
            await self.usage(self._usage(reasoning_tokens))
        await self.done()

    async def finish(self, reason: str) -> None:
        self._whole["finish_reason"] = reason
        if self.streaming:
            chunk = self.chunk({})
            chunk["choices"][0]["finish_reason"] = reason
            await self.event(chunk)

    async def usage(self, usage: dict[str, Any]) -> None:
        self._whole["usage"] = usage
        if self.streaming:
            await self.event(self.chunk({}) | {"choices": [], "usage": usage})

    async def done(self) -> None:
        if self.streaming:
            await self.raw(b"data: [DONE]\n\n")
        else:
            await self.body_response(200, "application/json", json.dumps(self._answer()))

    def chunk(self, delta: Delta, logprobs: Any = None) -> dict[str, Any]:
        """A chat completion chunk."""
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": None}
        return {**self._identity("chat.completion.chunk"), "choices": [choice]}

    async def event(self, data: object) -> None:
        data = self._repeating(data)
        await self.raw(b"data: " + json.dumps(data, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n\n")

    async def raw(self, data: bytes) -> None:
        await (await self.open()).write(data)

    async def open(self) -> web.StreamResponse:
        """The response, its headers sent; opened once."""
        if self._response is None:
            self._response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **self._headers()})
            await self._response.prepare(self.request)
        return self._response

    async def body_response(
        self, status: int, content_type: str, body: str, headers: dict[str, str] | None = None
    ) -> None:
        """Answer with one body instead of a stream."""
        sent = {**self._headers(), "Content-Type": content_type, **(headers or {})}
        if self.repeated:
            body = self._repeating_body(body)
        self._response = web.Response(status=status, body=body.encode(), headers=sent)

    async def settle(self) -> None:
        """Give what was written time to leave before the connection is broken."""
        await asyncio.sleep(0.05)

    def abort(self) -> None:
        """Break the connection without an end."""
        if self.request.transport:
            self.request.transport.abort()

    async def closed(self) -> web.StreamResponse:
        """The response, ended properly."""
        response = await self.open()
        if (
            not isinstance(response, web.Response)
            and self.request.transport
            and not self.request.transport.is_closing()
        ):
            await response.write_eof()
        return response

    def _headers(self) -> dict[str, str]:
        return {
            "x-inference-provider": self.served_by,
            "x-request-id": "Root=1-fake",
            "x-unkept": "secret",
            **self.extra_headers,
            **({"x-request-id": self.repeated, "x-error-message": self.repeated} if self.repeated else {}),
        }

    def _repeating(self, data: Any) -> Any:
        if isinstance(data, str):
            return f"{data} {self.repeated}" if self.repeated else data
        if isinstance(data, list):
            return [self._repeating(value) for value in data]
        return {name: self._repeating(value) for name, value in data.items()} if isinstance(data, dict) else data

    def _repeating_body(self, body: str) -> str:
        try:
            return json.dumps(self._repeating(json.loads(body)))
        except ValueError:
            return f"{body} {self.repeated}"

    def _identity(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.response_id,
            "object": kind,
            "created": 1_700_000_000,
            "model": self.answering_model,
            "system_fingerprint": "fp_fake",
        }

    def _usage(self, reasoning_tokens: int) -> dict[str, Any]:
        prompt = sum(len(str(message.get("content")).split()) for message in self.body.get("messages", []))
        return {
            "prompt_tokens": prompt,
            "completion_tokens": self._deltas,
            "total_tokens": prompt + self._deltas,
            "completion_tokens_details": {"reasoning_tokens": reasoning_tokens},
            "prompt_tokens_details": {"cached_tokens": 0},
        }

    def _collect(self, delta: Delta, logprobs: Any) -> None:
        for name, value in delta.items():
            if isinstance(value, str) and name != "role":
                self._message[name] = self._message.get(name, "") + value
            elif isinstance(value, list):
                self._message.setdefault(name, []).extend(value)
        self._logprobs.extend((logprobs or {}).get("content", []))

    def _answer(self) -> dict[str, Any]:
        choice = {
            "index": 0,
            "message": self._message,
            "finish_reason": self._whole.get("finish_reason"),
            "logprobs": {"content": self._logprobs} if self._logprobs else None,
        }
        return {**self._identity("chat.completion"), "choices": [choice], "usage": self._whole.get("usage")}


Scenario = Callable[[Call], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(*names: str) -> Callable[[Scenario], Scenario]:
    """Register a coroutine as the one that answers `fake/<name>`."""

    def register(function: Scenario) -> Scenario:
        SCENARIOS.update(dict.fromkeys(names, function))
        return function

    return register
