"""How the fake provider answers well: one coroutine per scenario, each given the Call it plays on.

`tests.fake_provider` describes them all; those that refuse or break off are in `tests.fake_failures`.
"""

import asyncio
import json
import time

from tests.fake_answers import HOSTILE, MARKDOWN, MARKUP, PLAIN, REASONING
from tests.fake_call import Call, scenario

PACED_TOKENS = 400


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


@scenario("repeats-headers")
async def repeats_headers(call: Call) -> None:
    """Thinks, says and calls a tool with the headers that it got, a few letters at a time."""
    text = json.dumps(dict(call.request.headers))
    call.response_id, call.answering_model = text, text
    pieces = [text[start : start + 3] for start in range(0, len(text), 3)]
    for piece in pieces:
        await call.delta({"reasoning": piece})
    for piece in pieces:
        token = {"token": piece, "logprob": -0.5, "top_logprobs": [{"token": text, "logprob": -0.5}]}
        await call.delta({"content": piece}, {"content": [token]})
    for number, piece in enumerate(pieces):
        named = {"id": text, "type": "function"} if number == 0 else {}
        await call.tool({"index": 0, **named, "function": {"name": text if number == 0 else None, "arguments": piece}})
    await call.end(text)


@scenario("slow")
async def slow(call: Call) -> None:
    for number in range(1, 401):
        await call.delta({"content": f"word{number} "})
        await asyncio.sleep((call.argument or 20) / 1000)
    await call.end()


@scenario("paced")
async def paced(call: Call) -> None:
    started = time.monotonic()
    for number in range(PACED_TOKENS):
        await asyncio.sleep(max(0.0, started + number / (call.argument or 20) - time.monotonic()))
        token = f"{number}={time.monotonic():.4f}"
        marked = f"**{token}**" if number % 12 == 11 else token
        await call.delta({"content": f"{marked}\n\n" if number % 60 == 59 else f"{marked} "})
    await call.end()


@scenario("flood")
async def flood(call: Call) -> None:
    piece = "x" * 63 + "\n"
    for _ in range(call.argument or 10):
        await call.delta({"content": piece * 2**14})
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


@scenario("musing")
async def musing(call: Call) -> None:
    await call.open()
    for word in REASONING.split(" "):
        await call.gate.passed()
        await call.delta({"reasoning": word + " "})
    await call.say(PLAIN)
    await call.end()


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


@scenario("error-null")
async def error_null(call: Call) -> None:
    for word in PLAIN.split(" "):
        await call.delta({"content": word + " "}, error=None)
    await call.end()


@scenario("silent")
async def silent(call: Call) -> None:
    await call.delta({"role": "assistant", "content": ""})
    await call.end()


@scenario("json-body")
async def json_body(call: Call) -> None:
    call.streaming = False
    await plain(call)
