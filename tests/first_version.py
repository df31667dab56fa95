"""Makes the database of the first version, with data in it, and reads it as today's code does.

Both run in a process of the playground (``PlaygroundProcess.run``). What is written is written with the models as they
were then, by their migrations, whatever today's look like.
"""

import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min

from chat.conversations.search.hits import search_conversations
from chat.keys.vault import Binding, open_key, seal
from chat.models import (
    Conversation,
    DailyUse,
    DailyWait,
    Endpoint,
    Message,
    PersonalKey,
    Run,
    RunChunk,
    UsageRecord,
    User,
)

HOST = "127.0.0.1:9"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FIRST = ("chat", "0001_initial")


def fill() -> None:
    """A person with a key, and a chat of two lanes: one answer has ended, the other's process is gone."""
    call_command("migrate", "auth", verbosity=0)
    call_command("migrate", *FIRST, verbosity=0)
    apps = MigrationExecutor(connection).loader.project_state(FIRST).apps

    def make(name: str, **fields: Any) -> Any:
        return apps.get_model("chat", name).objects.create(**fields)

    anna = make("User", username="anna", password="!", is_superuser=True, is_staff=True)
    endpoint = make("Endpoint", slug="fake", label="Fake", kind="openai", base_url=f"http://{HOST}/v1")
    sealed = seal("secret_ab12", Binding("personalkey", HOST, str(anna.pk)))
    make("PersonalKey", user=anna, endpoint=endpoint, label="Mine", host=HOST, last_four="ab12", sealed=sealed)
    chat = make("Conversation", owner=anna, title="About tides", topic="conversation.1", version=3)
    turn = make("Turn", conversation=chat, owner=anna, client_id="c1", row=0)
    run = {"topic": chat.topic, "owner": anna, "endpoint": endpoint, "request": "{}", "prefix": "Because "}
    process = make("Process", host="gone", pid=1, heartbeat_at=LONG_AGO)
    done = {
        "status": "done",
        "text": "the moon pulls.",
        "html": "<p>Because the moon pulls.</p>",
        "finished_at": LONG_AGO,
    }
    spent = {"cost": Decimal("0.00012345"), "completion_tokens": 7}
    paid = {"key_ref": "personal:1", "first_token_seconds": 0.5}
    ended = make("Run", **run, **done, **spent, **paid, model_id="m0", started_at=LONG_AGO)
    live = make("Run", **run, status="streaming", process=process, model_id="m1", started_at=LONG_AGO)
    make("RunChunk", run=live, seq=0, kind="t", text="half of it")
    make("UsageRecord", user=anna, run_id=ended.pk, model_id="m0", completion_tokens=7, at=LONG_AGO)
    for run_id, cost in ((9001, "0.1"), (9002, "0.2"), (9003, "0.00000001")):
        make("UsageRecord", user=anna, run_id=run_id, model_id="m2", cost=Decimal(cost), at=LONG_AGO)
    for place, written in enumerate((ended, live)):
        lane = make("Lane", conversation=chat, position=place, endpoint=endpoint, model_id=written.model_id)
        question = make("Message", lane=lane, turn=turn, role="user", parts=text("Why is the Ozean moving?"))
        answer = {"lane": lane, "turn": turn, "parent": question, "role": "assistant"}
        lane.head = make("Message", **answer, run=written, model_label=written.model_id)
        lane.save()
    make("Message", **answer, parts=text("The sun."), html="<p>The sun.</p>")


def text(words: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": words}]


def read() -> None:
    """Print what today's models, vault and search make of it."""
    chat = Conversation.objects.get(is_draft=False)
    runs = Run.objects.order_by("pk")
    facts = {
        "chat": [chat.owner.username, chat.title],
        "messages": [message.text for message in Message.objects.select_related("run").order_by("pk")],
        "heads": [lane.head.text for lane in chat.lanes.order_by("position") if lane.head],
        "statuses": [run.status for run in runs],
        "cost": str(runs[0].cost),
        "key": open_key(PersonalKey.objects.get(), Endpoint.objects.get(slug="fake")).secret,
        "usage": UsageRecord.objects.count(),
        "sums": sorted(DailyUse.objects.values_list("model_id", "key_ref", "requests", "tokens_out", "nanodollars")),
        "first day": str(DailyUse.objects.aggregate(Min("day"))["day__min"]),
        "waits": list(DailyWait.objects.values_list("daily_use__model_id", "bucket", "requests")),
        "chunks": RunChunk.objects.count(),
        "found": {
            word: len(search_conversations(User.objects.get(username="anna"), word))
            for word in ("tides", "ozean", "moon", "sun", "half", "nothing")
        },
    }
    sys.stdout.write(json.dumps(facts))
