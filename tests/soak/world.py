"""Served processes with people and chats in them, and what they have stored, read past them."""

import asyncio
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import psycopg

from tests.playground_process import PlaygroundProcess
from tests.soak.page import Chat

TOKEN = re.compile(r"(\d+)=(\d+\.\d{4})")
SEED = """
import json
from django.conf import settings
from django.test import Client
from chat.catalogue.models import Endpoint
from tests.factories import make_conversation, make_endpoint, make_user
endpoint = Endpoint.objects.filter(slug="fake").first()
endpoint = endpoint or make_endpoint("fake", kind="openai", needs_key=False, base_url="{base_url}")
made = []
for number in range({count}):
    user = make_user(f"{name}{{number}}", password=None)
    client = Client()
    client.force_login(user)
    chat = make_conversation(user, "{model}", endpoint=endpoint)
    made.append([client.cookies[settings.SESSION_COOKIE_NAME].value, str(chat.pk), chat.lanes.get().pk])
print(json.dumps(made))
"""


def server_at(data_dir: Path, **environment: str) -> PlaygroundProcess:
    """A process with these data and without ceilings that a test would meet."""
    return PlaygroundProcess(data_dir, **{"MAX_ACTIVE_RUNS": "10000", "MAX_SOCKETS": "10000", **environment})


@asynccontextmanager
async def alive(server: PlaygroundProcess) -> AsyncIterator[PlaygroundProcess]:
    """A process that starts while the loop goes on."""
    await asyncio.to_thread(server.__enter__)
    try:
        yield server
    finally:
        server.__exit__()


def make_chats(server: PlaygroundProcess, base_url: str, name: str, count: int, model: str) -> list[Chat]:
    """So many people with a chat each; ``name`` is nobody else's."""
    program = SEED.format(base_url=base_url, name=name, count=count, model=model)
    return [Chat(*facts) for facts in json.loads(server.run(program))]


def rows(server: PlaygroundProcess, query: str) -> list[tuple[Any, ...]]:
    """What the database of a process holds, asked without it."""
    if address := server.environment.get("DATABASE_URL"):
        with psycopg.connect(address) as stored:
            return stored.execute(query.encode()).fetchall()
    with closing(sqlite3.connect(server.data_dir / "playground.sqlite3", timeout=30)) as file:
        return file.execute(query).fetchall()


def stored_answers(server: PlaygroundProcess) -> dict[int, tuple[str, str, str]]:
    """Status, text and HTML of each run."""
    found = rows(server, "SELECT id, status, text, html FROM chat_run ORDER BY id")
    return {pk: (status, text, html) for pk, status, text, html in found}


def numbers_in(text: str) -> list[int]:
    return [int(number) for number, _ in TOKEN.findall(text)]


def last_sent(text: str) -> float:
    """When the last token of a text left the provider."""
    return max((float(sent) for _, sent in TOKEN.findall(text)), default=0.0)
