"""How long the server takes for each page with 10,000 chats and 200,000 messages in the database.

Measured twice: as CPU inside the process, which is the server's work whatever else the machine does (reading the
database from memory is part of it), and over HTTP, which is what a page waits for.
"""

import gc
import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from bench import processes
from bench.report import Figure, percentile

TIMES = 40
WARM_UP = 3
MOST_MILLISECONDS = 50


def measure() -> list[Figure]:
    with processes.playground() as server:
        crowd = json.loads(server.run("from bench.crowd import fill; fill('http://127.0.0.1:9/v1')"))
        inside = json.loads(server.run(f"from bench.pages import time_inside; time_inside({crowd!r})"))
        headers = {"Cookie": f"playground_session={crowd['session']}"}
        with httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=60) as client:
            outside = {name: _timed(client, path, time.perf_counter) for name, path in _pages(crowd).items()}
    return [
        figure
        for name, times in outside.items()
        for figure in (
            Figure("pages", f"{name}, p50", percentile(inside[name], 0.5), "ms", MOST_MILLISECONDS),
            Figure("pages", f"{name}, p95", percentile(inside[name], 0.95), "ms", MOST_MILLISECONDS),
            Figure("pages", f"{name}, over HTTP, p50", percentile(times, 0.5), "ms"),
        )
    ]


def time_inside(crowd: dict[str, str]) -> None:
    """Runs in the playground's environment; prints milliseconds of CPU for each page, all of Django included."""
    from django.conf import settings
    from django.test import Client

    from bench.seed import say
    from chat.management.commands.serve import use_one_heap

    # As the server itself runs: the test client takes a new thread for each request.
    use_one_heap()
    gc.collect()
    gc.freeze()

    client = Client(HTTP_HOST="127.0.0.1")
    client.cookies[settings.SESSION_COOKIE_NAME] = crowd["session"]
    say({name: _timed(client, path, time.process_time) for name, path in _pages(crowd).items()})


def _pages(crowd: dict[str, str]) -> dict[str, str]:
    return {
        "new chat": "/",
        "sidebar": "/search/",
        "search, a common word": "/search/?q=model",
        "search, a beginning": "/search/?q=mod",
        "search, two words": "/search/?q=answer+much",
        "search, none": "/search/?q=nowhere",
        "conversation": f"/c/{crowd['usual']}/",
        "conversation of 2,000 messages": f"/c/{crowd['long']}/",
        "earlier turns of it": f"/c/{crowd['long']}/earlier/?before=500",
        "conversation of 6 lanes, 30 turns": f"/c/{crowd['wide']}/",
        "its fragment": f"/c/{crowd['wide']}/news/",
        "models": "/models/",
        "usage": "/usage/",
    }


def _timed(client: Any, path: str, clock: Callable[[], float]) -> list[float]:
    """Milliseconds of each request after a few to warm up."""
    times = []
    for number in range(WARM_UP + TIMES):
        started = clock()
        response = client.get(path)
        elapsed = (clock() - started) * 1000
        if response.status_code != 200:
            raise RuntimeError(f"{path} answered {response.status_code}.")
        if number >= WARM_UP:
            times.append(elapsed)
    return times
