"""How the fake provider refuses, stalls, breaks off and talks nonsense: one coroutine per scenario.

`tests.fake_provider` describes them all.
"""

import asyncio
import json

from tests.fake_answers import CUTTABLE, ERRORS, PAGE
from tests.fake_call import Call, scenario
from tests.fake_scenarios import plain

FOREVER = 3600.0


@scenario("cut-off")
async def cut_off(call: Call) -> None:
    await call.say("This ends too")


@scenario("dies-midstream")
async def dies_midstream(call: Call) -> None:
    await call.say("This connection breaks")
    await call.settle()
    call.abort()


@scenario("cut-at")
async def cut_at(call: Call) -> None:
    place = call.argument or 0
    await call.raw(CUTTABLE[:place])
    if place < len(CUTTABLE) and call.request.transport:
        # What was written leaves first.
        call.request.transport.close()


@scenario("trickle")
async def trickle(call: Call) -> None:
    for byte in CUTTABLE:
        await call.raw(bytes([byte]))
        await asyncio.sleep((1000 if call.argument is None else call.argument) / 1000)


@scenario("cut-utf8")
async def cut_utf8(call: Call) -> None:
    await call.say("Grüße ")
    await call.raw(b'data: {"choices":[{"index":0,"delta":{"content":"\xf0\x9f\x91')


@scenario("refused-in-stream")
async def refused_in_stream(call: Call) -> None:
    await call.say("So far so good")
    await call.event({"error": {"message": "Invalid token", "http_status_code": 401}})


@scenario("error-in-stream", "error-text-in-stream")
async def error_in_stream(call: Call) -> None:
    await call.say("So far so good")
    if call.scenario == "error-in-stream":
        await call.event({"error": {"message": "CUDA out of memory", "http_status_code": 500}})
    else:
        await call.raw(b"event: error\ndata: upstream connect error\n\n")


@scenario("empty")
async def empty(call: Call) -> None:
    await call.open()


@scenario("empty-done")
async def empty_done(call: Call) -> None:
    await call.done()


@scenario("html")
async def html(call: Call) -> None:
    await call.body_response(200, "text/html", PAGE)


@scenario("text")
async def text(call: Call) -> None:
    await call.body_response(200, "text/plain", "upstream request timeout")


@scenario("malformed")
async def malformed(call: Call) -> None:
    await call.say("Then comes")
    await call.raw(b"data: {nonsense\n\n")


@scenario("one-50mb-line")
async def one_50mb_line(call: Call) -> None:
    await call.raw(b'data: {"choices":[{"index":0,"delta":{"content":"')
    for _ in range(50):
        await call.raw(b"x" * 2**20)
    await call.raw(b'"}}]}\n\n')
    await call.end()


@scenario("stall-before")
async def stall_before(call: Call) -> None:
    await call.open()
    await asyncio.sleep(FOREVER)


@scenario("stall-headers")
async def stall_headers(call: Call) -> None:
    await asyncio.sleep(FOREVER)


@scenario("stall-between")
async def stall_between(call: Call) -> None:
    await call.say("And then")
    await asyncio.sleep(FOREVER)


@scenario("stall-keepalive")
async def stall_keepalive(call: Call) -> None:
    while True:
        await call.raw(b": keep-alive\n\n")
        await asyncio.sleep(0.02)


@scenario("bad-status-line")
async def bad_status_line(call: Call) -> None:
    assert call.request.transport is not None
    call.request.transport.write(b"WHAT IS THIS\r\n\r\n")
    await call.settle()
    call.abort()


@scenario("rate-limited", "loading")
async def refused_once(call: Call) -> None:
    if call.times_asked > 1:
        await plain(call)
    elif call.scenario == "rate-limited":
        await call.body_response(429, "application/json", '{"error": "Too many requests"}', {"Retry-After": "1"})
    else:
        await call.body_response(
            503, "application/json", '{"error": "Model is currently loading", "estimated_time": 1.0}'
        )


@scenario("rate-limited-always")
async def rate_limited_always(call: Call) -> None:
    seconds = 20 if call.argument is None else call.argument
    await call.body_response(429, "application/json", '{"error": "Too many requests"}', {"Retry-After": str(seconds)})


@scenario("needs-key")
async def needs_key(call: Call) -> None:
    if "Authorization" in call.request.headers:
        await plain(call)
    else:
        await error(call, "401")


@scenario("no-top-k")
async def no_top_k(call: Call) -> None:
    await (error(call, "400-parameter") if "top_k" in call.body else plain(call))


async def error(call: Call, name: str) -> None:
    status, content_type, body, headers = ERRORS[name]
    if name == "echoes-key":
        body = json.dumps({"error": f"Bad request with {call.request.headers.get('Authorization')}"})
    await call.body_response(status, content_type, body, headers)
