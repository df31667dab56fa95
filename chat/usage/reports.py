"""What a person has used: sums by day and model over a month. Reads records, which hold no text, and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from chat.accounts.models import User
from chat.usage.models import UsageRecord


@dataclass(frozen=True, slots=True)
class Line:
    """Sums over some requests. ``spent`` is in US dollars and holds only requests with a known price."""

    requests: int = 0
    failures: int = 0
    unpriced: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    spent: Decimal = Decimal(0)
    day: date | None = None
    model_id: str = ""
    provider: str = ""
    user__username: str = ""

    @property
    def tokens(self) -> int:
        return self.tokens_in + self.tokens_out


@dataclass(frozen=True)
class Report:
    """A person's month: everything by day and model, latest day first, by model alone, and in total."""

    month: date
    days: list[tuple[date, list[Line]]]
    models: list[Line]
    total: Line
    earlier: date | None
    later: date | None


def monthly_report(user: User, month: date) -> Report:
    """The report of the month that begins on ``month``, in the time zone of the site."""
    records = _of_month(month).filter(user=user)
    by_day: dict[date, list[Line]] = {}
    for line in _lines(records.annotate(day=TruncDate("at")), "day", "model_id", "provider"):
        if line.day:
            by_day.setdefault(line.day, []).append(line)
    return Report(
        month,
        days=sorted(by_day.items(), reverse=True),
        models=_lines(records, "model_id"),
        total=next(iter(_lines(records)), Line()),
        earlier=month_before(month) if _has(user, before=_start(month)) else None,
        later=next_month(month) if next_month(month) <= timezone.localdate() else None,
    )


def by_person(month: date) -> list[Line]:
    """Everybody's sums in a month; ``user__username`` is empty for accounts that are gone."""
    return _lines(_of_month(month), "user__username")


def this_month() -> date:
    return timezone.localdate().replace(day=1)


def next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def month_before(month: date) -> date:
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def _of_month(month: date) -> "QuerySet[UsageRecord]":
    return UsageRecord.objects.filter(at__gte=_start(month), at__lt=_start(next_month(month)))


def _has(user: User, before: datetime) -> bool:
    return UsageRecord.objects.filter(user=user, at__lt=before).exists()


def _lines(records: "QuerySet[Any]", *keys: str) -> list[Line]:
    """Sums for each combination of ``keys``, dearest first, then busiest; without keys one sum at most."""
    found: Iterable[dict[str, Any]] = (
        records.order_by().values(*keys).annotate(**_sums()) if keys else [records.aggregate(**_sums())]
    )
    lines = [Line(**{name: value for name, value in row.items() if value is not None}) for row in found]
    asked = (line for line in lines if line.requests)
    return sorted(asked, key=lambda line: (-line.spent, -line.tokens, line.model_id))


def _sums() -> dict[str, Any]:
    return {
        "requests": Count("pk"),
        "failures": Count("pk", filter=Q(failed=True)),
        "unpriced": Count("pk", filter=Q(cost__isnull=True, failed=False)),
        "tokens_in": Sum("prompt_tokens"),
        "tokens_out": Sum("completion_tokens"),
        "spent": Sum("cost"),
    }


def _start(month: date) -> datetime:
    return timezone.make_aware(datetime.combine(month, time.min))
