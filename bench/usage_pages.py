"""Fills a ledger with its sums and asks for each page of use. Runs inside a playground's process environment."""

import json
import random
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from chat.accounts.models import User
from chat.usage.metering import NANODOLLARS, day_of, record_usage
from chat.usage.models import DailyUse, DailyWait, UsageRecord
from chat.usage.waits import bucket_of

AT_ONCE = 5_000
TRIES = 5
SETTLED = 200
PAGES = {
    "own month": "/usage/",
    "this month by person": "/admin/chat/dailyuse/",
    "this month by key": "/admin/chat/dailyuse/?by=key",
    "90 days by model": "/admin/chat/dailyuse/?by=model&period=quarter",
    "ledger": "/admin/chat/usagerecord/",
}


def run(records: int, people: int, models: int, days: int) -> None:
    """Print what each page takes in ms, and what one answer pays for its record and sums."""
    sums = fill(records, people, models, days)
    client = Client(HTTP_HOST="127.0.0.1")
    reader = User.objects.get(username="bench0")
    User.objects.filter(pk=reader.pk).update(is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=reader.pk))
    facts: dict[str, Any] = {"pages": {name: page(client, address) for name, address in PAGES.items()}}
    started = time.process_time()
    for number in range(SETTLED):
        record_usage(**use(records + number, reader.pk, timezone.now()))
    facts["record and sums of one answer, CPU"] = ((time.process_time() - started) / SETTLED * 1000, "ms")
    facts["rows of sums"] = (sums, "")
    sys.stdout.write(json.dumps(facts))


def page(client: Client, address: str) -> float:
    """Milliseconds of the quickest of some tries."""
    taken = []
    for _ in range(TRIES):
        started = time.perf_counter()
        assert client.get(address).status_code == 200
        taken.append(time.perf_counter() - started)
    return min(taken) * 1000


def use(number: int, user_id: int, at: datetime, models: int = 5) -> dict[str, Any]:
    chance = random.Random(number)
    return {
        "user_id": user_id,
        "run_id": number,
        "at": at,
        "model_id": f"org/model-{number % models}",
        "provider": "together",
        "key_ref": f"shared:{number % 2}",
        "key_label": f"Team key {number % 2}",
        "prompt_tokens": chance.randrange(4_000),
        "completion_tokens": chance.randrange(2_000),
        "cost": None if number % 9 == 0 else chance.randrange(10**6) * 1e-8,
        "failed": number % 40 == 0,
        "first_token_seconds": chance.lognormvariate(-1, 0.8),
        "estimated": False,
    }


def fill(records: int, people: int, models: int, days: int) -> int:
    """Store the records and the sums that recording them one by one would have made; returns how many rows of sums."""
    users = User.objects.bulk_create([User(username=f"bench{number}") for number in range(people)])
    begins = timezone.now() - timedelta(days=days - 1)
    sums: dict[tuple[Any, ...], list[int]] = {}
    waits: Counter[tuple[Any, ...]] = Counter()

    def rows() -> Any:
        for number in range(records):
            at = begins + timedelta(days=(number * days) // records)
            fields = use(number, users[number * 7 % people].pk, at, models)
            count(fields, day_of(at), sums, waits)
            yield UsageRecord(day=day_of(at), **fields)

    everything = rows()
    while batch := list(islice(everything, AT_ONCE)):
        UsageRecord.objects.bulk_create(batch, batch_size=AT_ONCE)
    keep(sums, waits)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return len(sums)


def count(fields: dict[str, Any], day: Any, sums: dict[tuple[Any, ...], list[int]], waits: Counter[Any]) -> None:
    same = (day, fields["user_id"], fields["key_ref"], fields["key_label"], fields["model_id"], fields["provider"])
    of_day = sums.setdefault(same, [0, 0, 0, 0, 0, 0])
    cost = fields["cost"]
    new = (1, fields["failed"], cost is None and not fields["failed"], fields["prompt_tokens"])
    added = (*new, fields["completion_tokens"], round((cost or 0) * NANODOLLARS))
    of_day[:] = [old + more for old, more in zip(of_day, added, strict=True)]
    waits[same, bucket_of(fields["first_token_seconds"])] += 1


def keep(sums: dict[tuple[Any, ...], list[int]], waits: Counter[Any]) -> None:
    names = ("day", "user_id", "key_ref", "key_label", "model_id", "provider")
    figures = ("requests", "failures", "unpriced", "tokens_in", "tokens_out", "nanodollars")
    rows = [
        DailyUse(pk=pk, estimated=0, **dict(zip(names, same, strict=True)), **dict(zip(figures, of_day, strict=True)))
        for pk, (same, of_day) in enumerate(sums.items(), start=1)
    ]
    DailyUse.objects.bulk_create(rows, batch_size=1_000)
    pks = {same: pk for pk, same in enumerate(sums, start=1)}
    buckets = (DailyWait(daily_use_id=pks[same], bucket=bucket, requests=n) for (same, bucket), n in waits.items())
    while batch := list(islice(buckets, AT_ONCE)):
        DailyWait.objects.bulk_create(batch, batch_size=AT_ONCE)
