"""What people have used: sums by day, model, person, key and provider. Reads the sums of days, never the records.

However many answers there were, a month is some thousand rows. Nothing here holds text.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Max, QuerySet, Sum
from django.utils import timezone

from chat.accounts.models import User
from chat.usage.models import DailyUse
from chat.usage.waits import Percentiles, percentiles

_SUMS = ("requests", "failures", "unpriced", "estimated", "tokens_in", "tokens_out", "nanodollars")


@dataclass(frozen=True, slots=True)
class Line:
    """Sums over some requests. ``spent`` is in US dollars and holds only requests with a known price; ``estimated``
    are those whose tokens the provider did not say."""

    requests: int = 0
    failures: int = 0
    unpriced: int = 0
    estimated: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    nanodollars: int = 0
    day: date | None = None
    model_id: str = ""
    provider: str = ""
    user_id: int | None = None
    user__username: str = ""
    key_ref: str = ""
    key_label: str = ""
    waits: Percentiles = field(default_factory=Percentiles)

    @property
    def spent(self) -> Decimal:
        return Decimal(self.nanodollars).scaleb(-9)

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
    """The report of the month that begins on ``month``."""
    mine = DailyUse.objects.filter(user=user)
    rows = mine.filter(day__gte=month, day__lt=next_month(month))
    by_day: dict[date, list[Line]] = {}
    for line in lines(rows, "day", "model_id", "provider"):
        if line.day:
            by_day.setdefault(line.day, []).append(line)
    return Report(
        month,
        days=sorted(by_day.items(), reverse=True),
        models=lines(rows, "model_id"),
        total=total(rows),
        earlier=month_before(month) if mine.filter(day__lt=month).exists() else None,
        later=next_month(month) if next_month(month) <= timezone.localdate() else None,
    )


def lines(rows: "QuerySet[DailyUse]", *keys: str) -> list[Line]:
    """Sums for each combination of ``keys``, which are fields of Line: dearest first, then busiest."""
    grouped: Iterable[dict[str, Any]] = rows.order_by().values(*keys).annotate(**_sums())
    waited: dict[tuple[Any, ...], list[tuple[int, int]]] = {}
    waits = rows.order_by().filter(waits__isnull=False).values_list(*keys, "waits__bucket")
    for *group, bucket, count in waits.annotate(count=Sum("waits__requests")):
        waited.setdefault(tuple(group), []).append((bucket, count))
    found = [
        Line(
            **{name: value for name, value in row.items() if value is not None},
            waits=percentiles(waited.get(tuple(row[key] for key in keys), ())),
        )
        for row in grouped
    ]
    return sorted(found, key=lambda line: (-line.nanodollars, -line.tokens, line.model_id))


def total(rows: "QuerySet[DailyUse]") -> Line:
    """The sums over all ``rows``."""
    sums: dict[str, Any] = {
        name: value or 0 for name, value in rows.aggregate(**{name: Sum(name) for name in _SUMS}).items()
    }
    waits = rows.order_by().filter(waits__isnull=False).values_list("waits__bucket")
    return Line(**sums, waits=percentiles(waits.annotate(count=Sum("waits__requests"))))


def by_person(month: date) -> list[Line]:
    """Everybody's sums in a month; ``user__username`` is empty for accounts that are gone."""
    return lines(DailyUse.objects.filter(day__gte=month, day__lt=next_month(month)), "user__username")


def this_month() -> date:
    return timezone.localdate().replace(day=1)


def next_month(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)


def month_before(month: date) -> date:
    return (month.replace(day=1) - timedelta(days=1)).replace(day=1)


def _sums() -> dict[str, Any]:
    return {name: Sum(name) for name in _SUMS} | {"key_label": Max("key_label")}
