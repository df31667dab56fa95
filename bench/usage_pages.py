"""Fills a ledger with its sums and asks for each page of use. Runs inside a playground's process environment."""

import json
import random
import sys
import time
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone

from chat.accounts.models import User
from chat.usage.metering import day_of, record_usage
from chat.usage.models import DailyUse
from chat.usage.waits import bucket_of

TRIES = 5
SETTLED = 200
PAGES = {
    "own month": "/usage/",
    "this month by person": "/admin/chat/dailyuse/",
    "this month by key": "/admin/chat/dailyuse/?by=key",
    "90 days by model": "/admin/chat/dailyuse/?by=model&period=quarter",
    "ledger": "/admin/chat/usagerecord/",
}


WAITS = 30
SAME = "day, user_id, key_ref, model_id, provider"
RECORDS = """WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < {records})
INSERT INTO chat_usagerecord (user_id, run_id, at, day, model_id, provider, key_ref, key_label, prompt_tokens,
  completion_tokens, cost, failed, first_token_seconds, estimated)
SELECT {first} + n * 7 % {people}, n, d.at, d.day, 'org/model-' || (n % {models}), 'together',
  'shared:' || (n % 2), 'Team key ' || (n % 2), n % 4000, n % 2000, 0.00001 * (n % 1000), n % 40 = 0, w.seconds, FALSE
FROM numbers JOIN bench_days d ON d.number = n % {days} JOIN bench_waits w ON w.number = n / 11 % 30"""
SUMS = f"""INSERT INTO chat_dailyuse ({SAME}, key_label, requests, failures, unpriced, estimated, tokens_in, tokens_out,
  nanodollars)
SELECT {SAME}, max(key_label), count(*), sum(CASE WHEN failed THEN 1 ELSE 0 END), 0, 0, sum(prompt_tokens),
  sum(completion_tokens), sum(CAST(cost * 1000000000 AS bigint)) FROM chat_usagerecord GROUP BY {SAME}"""
COUNTS = """INSERT INTO chat_dailywait (daily_use_id, bucket, requests)
SELECT s.id, w.bucket, count(*) FROM chat_usagerecord r
JOIN chat_dailyuse s ON s.day = r.day AND s.user_id = r.user_id AND s.key_ref = r.key_ref
  AND s.model_id = r.model_id AND s.provider = r.provider
JOIN bench_waits w ON w.number = r.run_id / 11 % 30 GROUP BY s.id, w.bucket"""


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
        record_usage(**use(records + number, reader.pk))
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


def use(number: int, user_id: int) -> dict[str, Any]:
    chance = random.Random(number)
    return {
        "user_id": user_id,
        "run_id": number,
        "model_id": f"org/model-{number % 5}",
        "provider": "together",
        "key_ref": f"shared:{number % 2}",
        "key_label": f"Team key {number % 2}",
        "prompt_tokens": chance.randrange(4_000),
        "completion_tokens": chance.randrange(2_000),
        "cost": Decimal(chance.randrange(10**6)).scaleb(-8),
        "failed": number % 40 == 0,
        "first_token_seconds": chance.lognormvariate(-1, 0.8),
        "estimated": False,
    }


def fill(records: int, people: int, models: int, days: int) -> int:
    """Store the records and the sums that recording them one by one would have made; returns how many rows of sums.

    In SQL: millions of them are made in a minute or two.
    """
    first = User.objects.bulk_create([User(username=f"bench{number}") for number in range(people)])[0].pk
    begins = timezone.now() - timedelta(days=days - 1)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE bench_days (number int, at timestamptz, day date)")
        moments = [begins + timedelta(days=number) for number in range(days)]
        cursor.executemany(
            "INSERT INTO bench_days VALUES (%s, %s, %s)",
            [(number, _stored(moment), day_of(moment)) for number, moment in enumerate(moments)],
        )
        cursor.execute("CREATE TEMPORARY TABLE bench_waits (number int, seconds double precision, bucket int)")
        waits = [0.05 * 1.17**number for number in range(WAITS)]
        cursor.executemany(
            "INSERT INTO bench_waits VALUES (%s, %s, %s)",
            [(number, wait, bucket_of(wait)) for number, wait in enumerate(waits)],
        )
        for statement in (RECORDS, SUMS, COUNTS):
            cursor.execute(statement.format(records=records, first=first, people=people, models=models, days=days))
        cursor.execute("ANALYZE")
    return DailyUse.objects.count()


def _stored(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
