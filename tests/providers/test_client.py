"""Asking the fake provider over a real socket: answers, refusals, silence, and what is sent."""

import asyncio
import gzip
import logging
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from chat.providers.client import get_json, stream_chat
from chat.providers.credential import Credential
from chat.providers.errors import CredentialHostMismatch, ProviderError
from chat.providers.events import (
    Finished,
    Identified,
    LogprobsDelta,
    ResponseStarted,
    TextDelta,
    ToolCallDelta,
    UsageReport,
)
from chat.providers.reach import Reach
from chat.providers.requests import Timeouts
from chat.providers.transport import shared_client
from tests.fake_answers import ERRORS, HOSTILE, MARKDOWN, MARKUP, PLAIN, REASONING
from tests.fake_provider import FakeProvider
from tests.providers.conftest import Ask, collect, fold, question
from tests.providers.test_refusals import EXPECTED


@pytest.mark.parametrize(
    ("scenario", "text", "reasoning"),
    [
        ("plain", PLAIN, ""),
        ("markdown", MARKDOWN, ""),
        ("reasoning", PLAIN, REASONING + " "),
        ("reasoning-content", PLAIN, REASONING + " "),
        ("think-tags", PLAIN, REASONING + "\n"),
        ("think-unopened", PLAIN, REASONING + "\n"),
        ("only-reasoning", "", REASONING + " "),
        ("json-body", PLAIN, ""),
        ("comments", PLAIN, ""),
        ("error-null", PLAIN + " ", ""),
        ("no-usage", PLAIN, ""),
        ("no-done", PLAIN, ""),
        ("no-finish", PLAIN, ""),
        ("split-utf8", "Grüße 👩‍🚀", ""),
        ("silent", "", ""),
        ("xss", HOSTILE, HOSTILE),
        ("error-unheard-of", PLAIN, ""),
    ],
)
async def test_answer_is_read_whole(ask: Ask, scenario: str, text: str, reasoning: str) -> None:
    answer = await ask(scenario)

    assert answer.error is None
    assert (answer.text, answer.reasoning) == (text, reasoning)
    assert isinstance(answer.events[0], ResponseStarted)
    assert len(answer.of(Finished)) == 1


@pytest.mark.parametrize("scenario", ["plain", "reasoning", "tools", "logprobs"])
async def test_answer_in_one_piece_is_the_same_as_the_stream(ask: Ask, scenario: str) -> None:
    streamed = await ask(scenario)
    whole = await ask(scenario, parameters={"stream": False})

    assert (whole.text, whole.reasoning) == (streamed.text, streamed.reasoning)
    assert whole.of(Finished) == streamed.of(Finished)
    assert [token for event in whole.of(LogprobsDelta) for token in event.tokens] == [
        token for event in streamed.of(LogprobsDelta) for token in event.tokens
    ]


async def test_first_event_tells_who_serves_and_keeps_useful_headers_only(ask: Ask) -> None:
    started = (await ask("plain:cerebras")).events[0]

    assert isinstance(started, ResponseStarted)
    assert (started.status, started.served_by) == (200, "cerebras")
    assert started.headers["x-request-id"] == "Root=1-fake"
    assert "x-unkept" not in started.headers


async def test_identity_usage_and_finish_reason_are_told(ask: Ask) -> None:
    answer = await ask("length")

    assert answer.of(Identified) == [Identified("chatcmpl-fake", "fake/length", "fp_fake", 1_700_000_000)]
    assert answer.of(Finished) == [Finished("length", "length")]
    assert answer.of(UsageReport) == [UsageReport(4, 6, 0, 0)]


async def test_absurd_usage_is_dropped_and_the_answer_kept(ask: Ask) -> None:
    answer = await ask("absurd-usage")

    assert (answer.text, answer.of(UsageReport)) == (PLAIN, [])


@pytest.mark.parametrize("scenario", ["tools", "tools-odd"])
async def test_tool_calls_come_in_order(ask: Ask, scenario: str) -> None:
    calls = (await ask(scenario)).of(ToolCallDelta)

    assert [(call.index, call.name) for call in calls if call.name] == [(0, "get_weather"), (1, "get_time")]
    assert "".join(call.arguments for call in calls if call.index == 0).replace(" ", "") == '{"city":"Wien"}'


async def test_hostile_labels_are_passed_on_as_plain_text(ask: Ask) -> None:
    answer = await ask("xss")

    assert answer.of(Identified)[0].model == MARKUP
    assert answer.of(Finished) == [Finished(MARKUP, MARKUP)]


@pytest.mark.parametrize("name", ERRORS)
async def test_refusals_become_errors_before_any_event(ask: Ask, name: str, key: Credential) -> None:
    answer = await ask(f"error-{name}", key)

    assert answer.events == []
    assert answer.error is not None
    assert (answer.error.kind, answer.error.status) == (EXPECTED[name], ERRORS[name][0])


async def test_secret_that_a_provider_echoes_is_masked(ask: Ask, key: Credential) -> None:
    error = (await ask("error-echoes-key", key)).error

    assert error is not None
    assert error.raw == '{"error": "Bad request with Bearer •••"}'
    assert key.secret not in error.sentence


async def test_redirect_is_not_followed(ask: Ask, fake_provider: FakeProvider) -> None:
    await ask("error-redirect")

    assert len(fake_provider.requests) == 1


@pytest.mark.parametrize(
    ("scenario", "kind", "text"),
    [
        ("empty", "empty", ""),
        ("empty-done", "empty", ""),
        ("html", "malformed", ""),
        ("text", "malformed", ""),
        ("malformed", "malformed", "Then comes"),
        ("cut-off", "cut_off", "This ends too"),
        ("cut-utf8", "cut_off", "Grüße "),
        ("dies-midstream", "broken_connection", "This connection breaks"),
        ("error-in-stream", "stream_error", "So far so good"),
        ("error-text-in-stream", "stream_error", "So far so good"),
        ("bad-status-line", "malformed", ""),
        ("stall-headers", "first_token_timeout", ""),
        ("stall-before", "first_token_timeout", ""),
        ("stall-keepalive", "first_token_timeout", ""),
        ("stall-between", "between_tokens_timeout", "And then"),
    ],
)
async def test_broken_answer_is_an_error_after_the_text_so_far(ask: Ask, scenario: str, kind: str, text: str) -> None:
    answer = await ask(scenario)

    assert answer.error is not None
    assert (answer.error.kind, answer.text) == (kind, text)


async def test_line_of_50_mb_is_given_up_without_keeping_it(fake_provider: FakeProvider, ask: Ask) -> None:
    tracemalloc.start()
    answer = await ask("one-50mb-line", timeouts=Timeouts(1, 10, 10))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert answer.error is not None and answer.error.kind == "too_long_line"
    assert peak < 25_000_000


async def test_request_is_sent_exactly_as_shown(fake_provider: FakeProvider, key: Credential) -> None:
    wire = question(fake_provider.base_url, bill_to="lab-org", extra_headers={"X-Own": "1"}, parameters={"seed": 0})
    async with stream_chat(wire, key, reach=Reach.PRIVATE) as events:
        async for _ in events:
            pass

    sent = fake_provider.requests[0]
    assert sent.body == wire.body
    assert list(sent.body)[0] == "model"
    framing = {"host", "authorization", "content-length"}
    headers = {name.lower(): value for name, value in sent.headers.items() if name.lower() not in framing}
    assert headers == {name.lower(): value for name, value in wire.headers.items()}
    assert sent.headers["Authorization"] == f"Bearer {key.secret}"


async def test_key_of_another_host_is_not_sent(fake_provider: FakeProvider) -> None:
    other = Credential("hf_secret_of_another_host", "router.huggingface.co", "Team key", "host")

    with pytest.raises(CredentialHostMismatch):
        async with stream_chat(question(fake_provider.base_url), other, reach=Reach.PRIVATE):
            pass

    assert fake_provider.requests == []


async def test_leaving_the_block_closes_the_connection_at_once(fake_provider: FakeProvider) -> None:
    async with stream_chat(question(fake_provider.base_url, "slow:5"), None, reach=Reach.PRIVATE) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break

    await asyncio.wait_for(fake_provider.requests[0].left.wait(), 1)
    assert not fake_provider.requests[0].completed


async def test_cancelling_the_reader_closes_the_connection_at_once(fake_provider: FakeProvider) -> None:
    reading = asyncio.Event()

    async def read() -> None:
        async with stream_chat(
            question(fake_provider.base_url, "gated", Timeouts()), None, reach=Reach.PRIVATE
        ) as events:
            async for _ in events:
                reading.set()

    task = asyncio.create_task(read())
    await reading.wait()

    task.cancel()

    await asyncio.wait_for(fake_provider.requests[0].left.wait(), 1)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_tokens_arrive_one_by_one_and_not_at_the_end(fake_provider: FakeProvider) -> None:
    texts = []
    async with stream_chat(question(fake_provider.base_url, "gated", Timeouts()), None, reach=Reach.PRIVATE) as events:
        fake_provider.gate().release()
        async for event in events:
            if isinstance(event, TextDelta):
                texts.append(event.text)
                if len(texts) == 3:
                    break
                fake_provider.gate().release()

    assert texts == ["The ", "sea ", "is "]


async def test_finished_answers_leave_a_connection_for_the_next(fake_provider: FakeProvider) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            await from_transport(AiohttpTransport(client=session), fake_provider.base_url, reusing=True)

    assert len({request.peer for request in fake_provider.requests}) == 1


async def test_plain_http_takes_a_fresh_connection_each_time(fake_provider: FakeProvider, ask: Ask) -> None:
    await ask("plain")
    await ask("plain")

    assert len({request.peer for request in fake_provider.requests}) == 2


async def test_many_streams_run_at_the_same_time(fake_provider: FakeProvider, ask: Ask) -> None:
    asked = [asyncio.create_task(ask("gated", timeouts=Timeouts())) for _ in range(150)]
    async with asyncio.timeout(20):
        while len(fake_provider.requests) < 150:
            await asyncio.sleep(0.01)

    fake_provider.gate().open()

    answers = await asyncio.gather(*asked)
    assert {answer.text for answer in answers} == {PLAIN + " "}


async def test_cookies_of_a_provider_are_not_kept(fake_provider: FakeProvider) -> None:
    fake_provider.extra_headers["Set-Cookie"] = "track=me; Path=/"
    # By name, because cookies of a bare address are not kept by anybody.
    by_name = question(f"http://localhost:{fake_provider.port}")

    await collect(by_name)
    await collect(by_name)

    assert "Cookie" not in fake_provider.requests[1].headers
    assert len(shared_client(Reach.PRIVATE).cookies.jar) == 0


async def test_neither_prompt_nor_secret_is_logged(ask: Ask, key: Credential, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await ask("plain", key)
        await ask("error-echoes-key", key)

    assert key.secret not in caplog.text
    assert "How is the sea?" not in caplog.text


def replying(body: bytes, **headers: str) -> httpx.MockTransport:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.MockTransport(lambda _request: httpx.Response(200, content=Pieces(body), headers=sent))


class Pieces(httpx.AsyncByteStream):
    """A body in pieces of a few bytes."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self.body), 7):
            yield self.body[start : start + 7]


ANSWER = b'data: {"choices":[{"delta":{"content":"yes"},"finish_reason":"stop"}]}\n\n'


async def from_transport(
    transport: httpx.AsyncBaseTransport, base_url: str = "http://127.0.0.1", reusing: bool = False
) -> list[Any]:
    wire = question(base_url)
    if reusing:
        del wire.headers["Connection"]
    async with stream_chat(wire, None, session_transport=transport) as events:
        return [event async for event in events]


async def test_compressed_answer_is_read() -> None:
    events = await from_transport(replying(gzip.compress(ANSWER), content_encoding="gzip"))

    assert fold(events) == ("yes", "")


@pytest.mark.parametrize("coding", ["gzip, gzip", "br", "zstd", "x"])
async def test_coding_that_was_not_offered_is_refused(coding: str) -> None:
    with pytest.raises(ProviderError) as caught:
        await from_transport(replying(ANSWER, content_encoding=coding))

    assert caught.value.kind == "malformed"


async def test_broken_compression_is_malformed() -> None:
    with pytest.raises(ProviderError) as caught:
        await from_transport(replying(ANSWER, content_encoding="gzip"))

    assert caught.value.kind == "malformed"


async def test_documents_are_fetched_with_the_key(fake_provider: FakeProvider, key: Credential) -> None:
    owner = await get_json(f"{fake_provider.hub_url}/api/whoami-v2", key, reach=Reach.PRIVATE)
    models = await get_json(f"{fake_provider.base_url}/models", reach=Reach.PRIVATE)

    assert isinstance(owner, dict) and owner["name"] == "anna"
    assert isinstance(models, dict) and models["data"][0]["id"] == "meta-llama/Llama-3.1-8B-Instruct"
    assert "Authorization" not in fake_provider.requests[1].headers
    assert fake_provider.requests[0].headers["Accept-Encoding"] == "gzip"


async def test_document_that_is_refused_is_an_error(fake_provider: FakeProvider) -> None:
    fake_provider.models_status = 503

    with pytest.raises(ProviderError) as caught:
        await get_json(f"{fake_provider.base_url}/models", reach=Reach.PRIVATE)

    assert (caught.value.kind, caught.value.status) == ("server_error", 503)


async def test_document_that_is_no_json_is_malformed() -> None:
    with pytest.raises(ProviderError) as caught:
        await get_json("http://127.0.0.1/", session_transport=replying(b"<html>"))

    assert caught.value.kind == "malformed"


async def test_document_that_takes_too_long_is_given_up(fake_provider: FakeProvider) -> None:
    fake_provider.models_delay = 5

    with pytest.raises(ProviderError) as caught:
        await get_json(f"{fake_provider.base_url}/models", timeout=0.05, reach=Reach.PRIVATE)

    assert caught.value.kind == "gateway_timeout"


async def test_document_without_end_is_given_up() -> None:
    class Endless(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b" " * 2**20

    transport = httpx.MockTransport(lambda _request: httpx.Response(200, content=Endless()))

    with pytest.raises(ProviderError) as caught:
        await get_json("http://127.0.0.1/", session_transport=transport)

    assert caught.value.kind == "too_long_line"
