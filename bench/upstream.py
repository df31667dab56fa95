"""A provider in a process of its own whose answers are made for measuring. The model's name says what it streams.

``bench/text/<shape>/<characters>/<characters per second>`` streams Markdown in pieces of four characters;
``bench/paced/<tokens per second>/<tokens>`` streams ``<number>=<time of emission> ``, the first after 100 ms, so that
whoever reads them knows what was lost and how late it came; 0 a second is as fast as it goes. Times are
CLOCK_MONOTONIC, the same in all processes.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator

import uvloop
from aiohttp import web

from bench.texts import text_of

FIRST_TOKEN_SECONDS = 0.1
PIECE = 4
TICK_SECONDS = 0.02
TOKENS_AT_ONCE = 100


async def _text(shape: str, characters: int, rate: int) -> AsyncIterator[list[str]]:
    """Pieces of four characters, each an event of its own, as many at each tick as the rate asks for."""
    text = text_of(shape, characters)
    started, sent = time.monotonic(), 0
    while sent < len(text):
        due = min(len(text), int((time.monotonic() - started) * rate) + PIECE)
        yield [text[start : start + PIECE] for start in range(sent, due, PIECE)]
        sent += len(range(sent, due, PIECE)) * PIECE
        await asyncio.sleep(TICK_SECONDS)


async def _paced(rate: int, tokens: int) -> AsyncIterator[list[str]]:
    started = time.monotonic() + FIRST_TOKEN_SECONDS
    at_once = 1 if rate else TOKENS_AT_ONCE
    for first in range(0, tokens, at_once):
        await asyncio.sleep(max(0.0, started + (first / rate if rate else 0.0) - time.monotonic()))
        yield [_token(number) for number in range(first, min(first + at_once, tokens))]


def _token(number: int) -> str:
    token = f"{number}={time.monotonic():.4f}"
    marked = f"**{token}**" if number % 12 == 11 else token
    return f"{marked}\n\n" if number % 60 == 59 else f"{marked} "


def _pieces(model: str) -> AsyncIterator[list[str]]:
    _, kind, *arguments = model.split("/")
    if kind == "text":
        return _text(arguments[0], int(arguments[1]), int(arguments[2]))
    return _paced(int(arguments[0]), int(arguments[1]))


async def _answer(request: web.Request) -> web.StreamResponse:
    model = (await request.json())["model"]
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    chunk = {"id": "bench", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model}
    head = json.dumps(chunk)[:-1]
    count = 0
    async for texts in _pieces(model):
        count += len(texts)
        await response.write("".join(_event(head, text) for text in texts).encode())
    usage = json.dumps({"prompt_tokens": 10, "completion_tokens": count, "total_tokens": count + 10})
    stop = '[{"index": 0, "delta": {}, "finish_reason": "stop"}]'
    await response.write(f'data: {head}, "choices": {stop}, "usage": {usage}}}\n\ndata: [DONE]\n\n'.encode())
    return response


def _event(head: str, text: str) -> str:
    delta = json.dumps([{"index": 0, "delta": {"content": text}, "finish_reason": None}])
    return f'data: {head}, "choices": {delta}}}\n\n'


async def _serve(port: int) -> None:
    app = web.Application()
    app.add_routes([web.post("/v1/chat/completions", _answer)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=1024).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(_serve(parser.parse_args().port))
