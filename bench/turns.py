"""What one turn costs the server, whatever is answered: the send alone, and all of it with a page that watches."""

import asyncio
import json
import time
from typing import Any

import aiohttp

from bench import processes
from bench.page import open_page
from bench.report import Figure, percentile

LANES = (1, 4)
TURNS = 30
SHORTEST = "bench/text/prose/20/8000"
MOST_MILLISECONDS = 10


def measure() -> list[Figure]:
    figures = []
    with processes.upstream() as url, processes.playground() as server:
        for lanes in LANES:
            models = [[SHORTEST] * lanes] * (TURNS + 1)
            [person] = json.loads(server.run(f"from bench.seed import chats; chats({url!r}, 1, *{models!r})"))
            whole = asyncio.run(_whole_turns(server.url, server.process.pid, person))
            send = json.loads(server.run(f"from bench.turns import time_sending; time_sending({lanes}, {TURNS})"))
            target = MOST_MILLISECONDS if lanes == 1 else None
            name = "1 lane" if lanes == 1 else f"{lanes} lanes"
            figures += [
                Figure("turns", f"{name}: queries of a send", send["queries"]),
                Figure("turns", f"{name}: CPU of a send, p50", percentile(send["milliseconds"], 0.5), "ms", target),
                Figure("turns", f"{name}: CPU of a whole turn, all that follows included", whole, "ms"),
            ]
    return figures


async def _whole_turns(url: str, pid: int, person: dict[str, Any]) -> float:
    """Milliseconds of CPU for each turn, from the send to the last frame of the answer."""
    used = 0.0
    async with aiohttp.ClientSession() as http:
        for number, chat in enumerate(person["chats"]):
            async with open_page(http, url, person["session"], chat) as page:
                await asyncio.sleep(0.1)
                before = processes.cpu_seconds(pid)
                await page.send("Go.", chat["lanes"])
                await page.until_ended(len(chat["lanes"]))
                await asyncio.sleep(0.1)
                # The first turn of a process loads what later ones find.
                used += processes.cpu_seconds(pid) - before if number else 0.0
    return used / TURNS * 1000


def time_sending(lanes: int, times: int) -> None:
    """Runs in the playground's environment; prints queries and milliseconds of CPU of a send, until it returns."""
    from uuid import uuid4

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from bench.seed import chat, endpoint_at, person, say
    from chat.conversations.verbs import perform

    user, endpoint = person("sender"), endpoint_at("")
    milliseconds = []
    for number in range(times + 1):
        conversation = chat(user, endpoint, ["org/model"] * lanes)
        fields = {
            "text": "Hello.",
            "client_id": uuid4().hex,
            "lanes": list(conversation.lanes.values_list("pk", flat=True)),
        }
        if number == 0:
            with CaptureQueriesContext(connection) as queries:
                perform(user, conversation.pk, "send", fields)
        else:
            started = time.process_time()
            perform(user, conversation.pk, "send", fields)
            milliseconds.append((time.process_time() - started) * 1000)
    say({"queries": len(queries), "milliseconds": milliseconds})
