"""A provider for tests: a real HTTP server on loopback that plays the Hugging Face router and hub.

In a test:          async with FakeProvider() as provider: ... provider.base_url ... provider.requests[-1].body
As a process:       python -m tests.fake_provider --port 20099     (0 for a free one; prints its base URL)

The model named in a request picks the scenario: `fake/<scenario>`, then optionally `:<number>` and `:<provider>`, such
as `fake/slow:20:cerebras`. Any other model name answers like `fake/plain`. Scenarios:

  answers     plain  markdown  echo (the messages received, as JSON)  slow:<ms per token>  long:<tokens>
              flood:<MiB> (as fast as it is taken)
              paced:<tokens per second> (each token is its number and the time at which it was sent: `7=1234.5678`)
              gated (each piece waits for `provider.gate().release()`; `gated:<n>` has the gate "gated:<n>" to itself)
              musing (thinks word by word, each waiting like gated)  silent (finishes without text)
              reasoning  reasoning-content  think-tags  think-unopened  only-reasoning  length
              repeats-headers (what it was sent, in bits)
              tools  tools-odd (no index, same index, arguments as object)  logprobs
              xss (hostile markup in text, reasoning, model, id, tool call and finish reason)
  wire        json-body (JSON although a stream was asked)  comments  split-utf8 (byte by byte, CRLF)  error-null
              no-usage  absurd-usage  usage-everywhere  no-done  no-finish
  broken      empty  empty-done  html  text  malformed  one-50mb-line  cut-off  cut-utf8  dies-midstream
              cut-at:<bytes> (a short answer, broken off there)  trickle:<ms per byte> (the same, byte by byte)
              error-in-stream  error-text-in-stream  refused-in-stream  bad-status-line
              stall-headers  stall-before  stall-between  stall-keepalive
  refusals    error-<name> for each name in tests.fake_answers.ERRORS, such as error-402 or error-401-html
              rate-limited and loading (refuse the first request, then answer)  rate-limited-always:<seconds>
              needs-key  no-top-k

With `"stream": false` every answer comes as one body. Also served: GET /v1/models (`provider.models`,
`provider.models_status`, `provider.models_delay` in seconds) and GET /api/whoami-v2 by how the token begins (hf_good,
hf_read, hf_norights, hf_poor; hf_limited is answered 429, anything else 401). Chat with hf_bad is a 401, with
hf_norights a 403, with hf_poor a 402, with hf_limited a 429. `provider.extra_headers` are added to every answer; where
`provider.redirect` is a status and an address, both chat and the list of models answer with that redirect.
From another process: GET /_requests, POST /_gate {"scenario", "release" or "open"}, POST /_control {"models_status",
"repeats"}; a provider that `repeats` says in all its texts and headers what the request's headers were.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Self

import pytest
from aiohttp import web

from chat.providers.client import close_client
from tests.fake_answers import ERRORS, MODELS, OWNERS
from tests.fake_call import SCENARIOS, Call, Gate, Recorded
from tests.fake_failures import error
from tests.fake_scenarios import plain

_REFUSED_TOKENS = {"hf_bad": "401", "hf_norights": "403", "hf_poor": "402", "hf_limited": "429-ratelimit"}


class FakeProvider:
    """The server; an async context manager. `requests` holds every request, in order of arrival."""

    def __init__(self, port: int = 0) -> None:
        self.requests: list[Recorded] = []
        self.models: list[dict[str, Any]] = list(MODELS)
        self.models_status = 200
        self.models_delay = 0.0
        self.extra_headers: dict[str, str] = {}
        self.redirect: tuple[int, str] | None = None
        self.repeats = False
        self.port = port
        self._gates: dict[str, Gate] = {}
        self._asked: Counter[str] = Counter()
        self._runner: web.AppRunner | None = None

    @property
    def hub_url(self) -> str:
        """Stands in for https://huggingface.co."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """Stands in for https://router.huggingface.co/v1."""
        return f"{self.hub_url}/v1"

    @property
    def chats(self) -> list[Recorded]:
        """The requests for an answer."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    def gate(self, scenario: str = "gated") -> Gate:
        """The gate that all calls of a scenario pass through."""
        return self._gates.setdefault(scenario, Gate())

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.add_routes(
            [
                web.get("/v1/models", self._list_models),
                web.get("/api/whoami-v2", self._whoami),
                web.get("/_requests", self._show_requests),
                web.post("/_gate", self._move_gate),
                web.post("/_control", self._control),
                web.post("/{path:.*}/chat/completions", self._chat),
            ]
        )
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        record = self._record(request, body)
        try:
            response = await self._answer(request, body)
        except asyncio.CancelledError:
            record.leave()
            raise
        except ConnectionError:
            record.leave()
            return web.Response(status=499)
        record.completed = True
        return response

    async def _answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        call = self._call(request, body)
        self._redirect()
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        for beginning, name in _REFUSED_TOKENS.items():
            if token.startswith(beginning):
                await error(call, name)
                return await call.closed()
        refusal = call.scenario.removeprefix("error-")
        if refusal != call.scenario and refusal in ERRORS:
            await error(call, refusal)
        else:
            await SCENARIOS.get(call.scenario, plain)(call)
        return await call.closed()

    def _redirect(self) -> None:
        if self.redirect:
            status, address = self.redirect
            error = web.HTTPException(headers={"Location": address}, text="elsewhere")
            error.set_status(status)
            raise error

    def _call(self, request: web.Request, body: dict[str, Any]) -> Call:
        name, *suffixes = str(body.get("model", "")).split(":")
        numbers = [int(part) for part in suffixes if part.isdecimal()]
        providers = [part for part in suffixes if part and not part.isdecimal()]
        scenario = name.removeprefix("fake/") if name.startswith("fake/") else "plain"
        served_by = providers[0] if providers else "fake-provider"
        call = Call(request, body, scenario, numbers[0] if numbers else None, served_by)
        self._asked[scenario] += 1
        call.times_asked = self._asked[scenario]
        call.gate = self.gate(scenario if call.argument is None else f"{scenario}:{call.argument}")
        call.extra_headers = self.extra_headers
        # The values alone, so that no line of a header set is told from a text.
        call.repeated = " ".join(request.headers.values()) if self.repeats else ""
        return call

    async def _list_models(self, request: web.Request) -> web.Response:
        self._record(request, None)
        self._redirect()
        await asyncio.sleep(self.models_delay)
        if self.models_status != 200:
            return web.json_response({"error": "The list is not available"}, status=self.models_status)
        seen = " ".join(request.headers.values()) if self.repeats else ""
        return web.json_response({"object": "list", "data": self.models, "asked_by": seen})

    async def _whoami(self, request: web.Request) -> web.Response:
        self._record(request, None)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token.startswith("hf_limited"):
            return web.json_response(
                {"error": "Too many requests"}, status=429, headers={"RateLimit": '"api";r=0;t=42'}
            )
        owner = next((owner for beginning, owner in OWNERS.items() if token.startswith(beginning)), None)
        if owner is None:
            status, _, body, _ = ERRORS["401"]
            return web.Response(status=status, text=body, content_type="application/json")
        return web.json_response(owner)

    def _record(self, request: web.Request, body: object) -> Recorded:
        record = Recorded(
            request.method,
            request.path,
            dict(request.headers),
            body,
            request.transport and request.transport.get_extra_info("peername"),
        )
        self.requests.append(record)
        return record

    async def _show_requests(self, _request: web.Request) -> web.Response:
        shown = [
            {
                "method": r.method,
                "path": r.path,
                "headers": r.headers,
                "body": r.body,
                "left": r.left.is_set(),
                "completed": r.completed,
            }
            for r in self.requests
        ]
        return web.json_response(shown)

    async def _move_gate(self, request: web.Request) -> web.Response:
        order = await request.json()
        gate = self.gate(order.get("scenario", "gated"))
        gate.open() if order.get("open") else gate.release(int(order.get("release", 1)))
        return web.json_response({"ok": True})

    async def _control(self, request: web.Request) -> web.Response:
        order = await request.json()
        self.models_status = int(order.get("models_status", self.models_status))
        self.repeats = bool(order.get("repeats", self.repeats))
        return web.json_response({"ok": True})


@pytest.fixture
async def fake_provider() -> AsyncIterator[FakeProvider]:
    """A running fake provider; import this fixture where it is used. Closes the shared client of the test's loop."""
    async with FakeProvider() as provider:
        yield provider
        await close_client()


async def _serve(port: int) -> None:
    async with FakeProvider(port) as provider:
        sys.stdout.write(f"{provider.base_url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake chat completion provider.")
    parser.add_argument("--port", type=int, default=20099)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
