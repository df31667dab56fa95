"""How the fake provider answers: one coroutine per scenario, each given the Call it plays on.

Listed by name in SCENARIOS; `tests.fake_provider` picks one by the name of the model and describes them all.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.fake_answers import ERRORS, HOSTILE, MARKDOWN, MARKUP, PAGE, PLAIN, REASONING
from tests.fake_call import Call, Delta

Scenario = Callable[[Call], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}
FOREVER = 3600.0


def scenario(*names: str) -> Callable[[Scenario], Scenario]:
    def register(function: Scenario) -> Scenario:
        SCENARIOS.update(dict.fromkeys(names, function))
        return function

    return register


@scenario("plain")
async def plain(call: Call) -> None:
    await call.say(PLAIN)
    await call.end()


@scenario("markdown")
async def markdown(call: Call) -> None:
    await call.say(MARKDOWN)
    await call.end()


@scenario("echo")
async def echo(call: Call) -> None:
    await call.delta({"content": json.dumps(call.body.get("messages"), ensure_ascii=False)})
    await call.end()


@scenario("slow")
async def slow(call: Call) -> None:
    for number in range(1, 401):
        await call.delta({"content": f"word{number} "})
        await asyncio.sleep((call.argument or 20) / 1000)
    await call.end()


@scenario("long")
async def long(call: Call) -> None:
    for number in range(1, (call.argument or 1000) + 1):
        await call.delta({"content": f"word{number}\n\n" if number % 60 == 0 else f"word{number} "})
    await call.end()


@scenario("gated")
async def gated(call: Call) -> None:
    await call.open()
    for word in PLAIN.split(" "):
        await call.gate.passed()
        await call.delta({"content": word + " "})
    await call.gate.passed()
    await call.end()


@scenario("reasoning", "reasoning-content")
async def reasoning(call: Call) -> None:
    field = "reasoning" if call.scenario == "reasoning" else "reasoning_content"
    for word in REASONING.split(" "):
        await call.delta({field: word + " ", "content": None})
    await call.say(PLAIN)
    await call.end(reasoning_tokens=12)


@scenario("think-tags", "think-unopened")
async def think_tags(call: Call) -> None:
    opening = "<think>\n" if call.scenario == "think-tags" else ""
    whole = f"{opening}{REASONING}\n</think>\n\n{PLAIN}"
    for start in range(0, len(whole), 5):
        await call.delta({"content": whole[start : start + 5]})
    await call.end()


@scenario("only-reasoning")
async def only_reasoning(call: Call) -> None:
    for word in REASONING.split(" "):
        await call.delta({"reasoning": word + " "})
    await call.end("length")


@scenario("length")
async def length(call: Call) -> None:
    await call.say("This answer breaks off in the")
    await call.end("length")


@scenario("tools", "tools-odd")
async def tools(call: Call) -> None:
    odd = call.scenario == "tools-odd"
    if odd:
        await call.tool({"id": "call_a", "function": {"name": "get_weather", "arguments": {"city": "Wien"}}})
        await call.tool({"index": 0, "id": "call_b", "function": {"name": "get_time", "arguments": "{}"}})
    else:
        await call.tool(
            {"index": 0, "id": "call_a", "type": "function", "function": {"name": "get_weather", "arguments": ""}}
        )
        for piece in ('{"ci', 'ty": "W', 'ien"}'):
            await call.tool({"index": 0, "id": "", "function": {"name": None, "arguments": piece}})
        await call.tool(
            {"index": 1, "id": "call_b", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
        )
    await call.end("stop" if odd else "tool_calls")


@scenario("logprobs")
async def logprobs(call: Call) -> None:
    for place, word in enumerate(PLAIN.split(" ")):
        others = [{"token": " " + word, "logprob": -0.05 - place / 10}, {"token": " other", "logprob": -3.5}]
        await call.delta({"content": word + " "}, logprobs={"content": [{**others[0], "top_logprobs": others}]})
    await call.end()


@scenario("xss")
async def hostile(call: Call) -> None:
    call.response_id, call.answering_model, call.served_by = MARKUP, MARKUP, MARKUP
    await call.delta({"reasoning": HOSTILE})
    await call.say(HOSTILE)
    await call.tool({"index": 0, "id": MARKUP, "function": {"name": MARKUP, "arguments": HOSTILE}})
    await call.end(MARKUP)


@scenario("no-usage")
async def no_usage(call: Call) -> None:
    call.usage_asked = False
    await plain(call)


@scenario("absurd-usage")
async def absurd_usage(call: Call) -> None:
    await call.say(PLAIN)
    await call.finish("stop")
    await call.usage(
        {"prompt_tokens": -7, "completion_tokens": 10**30, "total_tokens": "many", "completion_tokens_details": 3}
    )
    await call.done()


@scenario("usage-everywhere")
async def usage_everywhere(call: Call) -> None:
    for place, word in enumerate(PLAIN.split(" "), 1):
        await call.delta({"content": word + " "}, usage={"prompt_tokens": 9, "completion_tokens": place})
    await call.finish("eos_token")
    await call.done()


@scenario("no-done")
async def no_done(call: Call) -> None:
    await call.say(PLAIN)
    await call.finish("stop")


@scenario("no-finish")
async def no_finish(call: Call) -> None:
    await call.say(PLAIN)
    await call.done()


@scenario("cut-off")
async def cut_off(call: Call) -> None:
    await call.say("This ends too")


@scenario("dies-midstream")
async def dies_midstream(call: Call) -> None:
    await call.say("This connection breaks")
    await call.settle()
    call.abort()


@scenario("cut-utf8")
async def cut_utf8(call: Call) -> None:
    await call.say("Grüße ")
    await call.raw(b'data: {"choices":[{"index":0,"delta":{"content":"\xf0\x9f\x91')


@scenario("split-utf8")
async def split_utf8(call: Call) -> None:
    whole = "".join(
        f"data: {json.dumps(call.chunk({'content': text}), ensure_ascii=False)}\r\n\r\n" for text in ("Grüße", " 👩‍🚀")
    )
    for byte in whole.encode():
        await call.raw(bytes([byte]))
        await asyncio.sleep(0)
    await call.end()


@scenario("comments")
async def comments(call: Call) -> None:
    await call.raw(b": keep-alive\n\n")
    await call.say(PLAIN)
    await call.raw(b": keep-alive\n\nevent: ping\ndata: {}\n\n")
    await call.end()


@scenario("error-in-stream", "error-text-in-stream")
async def error_in_stream(call: Call) -> None:
    await call.say("So far so good")
    if call.scenario == "error-in-stream":
        await call.event({"error": {"message": "CUDA out of memory", "http_status_code": 500}})
    else:
        await call.raw(b"event: error\ndata: upstream connect error\n\n")


@scenario("error-null")
async def error_null(call: Call) -> None:
    for word in PLAIN.split(" "):
        await call.delta({"content": word + " "}, error=None)
    await call.end()


@scenario("empty")
async def empty(call: Call) -> None:
    await call.open()


@scenario("empty-done")
async def empty_done(call: Call) -> None:
    await call.done()


@scenario("silent")
async def silent(call: Call) -> None:
    await call.delta({"role": "assistant", "content": ""})
    await call.end()


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


@scenario("json-body")
async def json_body(call: Call) -> None:
    call.streaming = False
    await plain(call)


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
    await call.body_response(
        429, "application/json", '{"error": "Too many requests"}', {"Retry-After": str(call.argument or 20)}
    )


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


async def play(call: Call) -> web.StreamResponse:
    """Play the scenario of this call; an unknown one, such as a real model's name, is plain."""
    if call.scenario.startswith("error-") and call.scenario.removeprefix("error-") in ERRORS:
        await error(call, call.scenario.removeprefix("error-"))
    else:
        await SCENARIOS.get(call.scenario, plain)(call)
    return await call.closed()


__all__ = ["SCENARIOS", "Delta", "play"]
