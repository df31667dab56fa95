"""Writes what an answer cost, once, and adds it to the sums of its day. The engine calls it where it stores the end.

Three statements, written out because they stand on the path of every answer. Sums are added to by the database itself:
answers that end in other processes at the same moment are all in them. Each call holds one row of sums and then one of
waits, both of its own person, so that no two calls wait for each other in a circle.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from chat.usage.models import DailyUse, DailyWait, UsageRecord
from chat.usage.waits import bucket_of

NANODOLLARS = 1_000_000_000
_SAME = ("day", "user_id", "key_ref", "model_id", "provider")
_SUMS = ("requests", "failures", "unpriced", "estimated", "tokens_in", "tokens_out", "nanodollars")


def record_usage(
    *,
    user_id: int,
    run_id: int,
    model_id: str,
    provider: str,
    key_ref: str = "",
    key_label: str,
    prompt_tokens: int | None,
    completion_tokens: int | None,
    cost: Decimal | None,
    failed: bool,
    first_token_seconds: float | None = None,
    estimated: bool = False,
    at: datetime | None = None,
) -> None:
    """Keep the figures of one run; a second call for the same run changes nothing. ``cost`` is in US dollars.

    ``estimated`` tells that the provider did not say how many tokens it were; ``at`` is now, unless given.
    """
    at = at or timezone.now()
    use = UsageRecord(
        user_id=user_id,
        run_id=run_id,
        at=at,
        day=day_of(at),
        model_id=model_id,
        provider=provider,
        key_ref=key_ref,
        key_label=key_label,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost=cost,
        failed=failed,
        first_token_seconds=first_token_seconds,
        estimated=estimated,
    )
    with transaction.atomic(savepoint=False):
        if _keep(use):
            _count(use)


def count_late() -> int:
    """Add to the sums what is not in them: recorded by an older version, while it was replaced. Returns how many."""
    late = UsageRecord.objects.filter(day=None).order_by("pk")
    counted = 0
    for use in late:
        use.day = day_of(use.at)
        with transaction.atomic():
            # Another process may be counting them as well.
            if late.filter(pk=use.pk).update(day=use.day) == 1:
                _count(use)
                counted += 1
    return counted


def day_of(moment: datetime) -> date:
    """The day of the site that a moment belongs to."""
    return timezone.localtime(moment, timezone.get_default_timezone()).date()


def _keep(use: UsageRecord) -> bool:
    """Insert a record; False where its run has one."""
    fields = [field for field in UsageRecord._meta.local_concrete_fields if not field.primary_key]
    values = [field.get_db_prep_save(getattr(use, field.attname), connection) for field in fields]
    columns = [field.attname for field in fields]
    return _execute(f"{_insert(UsageRecord, columns)} ON CONFLICT (run_id) DO NOTHING", values) == 1


def _count(use: UsageRecord) -> None:
    pk = _add_to_day(use)
    if use.first_token_seconds is not None:
        _execute(
            f"""{_insert(DailyWait, ("daily_use_id", "bucket", "requests"))}
ON CONFLICT (daily_use_id, bucket) DO UPDATE SET requests = chat_dailywait.requests + 1""",
            [pk, bucket_of(use.first_token_seconds), 1],
        )


def _add_to_day(use: UsageRecord) -> int:
    """Add a record to the sums of its day; returns the primary key of their row."""
    same: list[Any] = [use.day, use.user_id, use.key_ref, use.model_id, use.provider]
    sums = [
        1,
        int(use.failed),
        int(use.cost is None and not use.failed),
        int(use.estimated),
        use.prompt_tokens or 0,
        use.completion_tokens or 0,
        int((use.cost or Decimal(0)) * NANODOLLARS),
    ]
    adding = ", ".join(f"{name} = chat_dailyuse.{name} + excluded.{name}" for name in _SUMS)
    statement = f"""{_insert(DailyUse, (*_SAME, "key_label", *_SUMS))}
ON CONFLICT ({", ".join(_SAME)}) DO UPDATE SET key_label = excluded.key_label, {adding} RETURNING id"""
    with connection.cursor() as cursor:
        cursor.execute(statement, [*same, use.key_label, *sums])
        return int(cursor.fetchone()[0])


def _insert(model: type[UsageRecord | DailyUse | DailyWait], columns: Sequence[str]) -> str:
    places = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) VALUES ({places})"


def _execute(statement: str, values: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)
