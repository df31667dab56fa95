"""By what the use of all people is filtered and summed in Django admin."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Max, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from chat.accounts.models import User
from chat.usage.models import DailyUse
from chat.usage.reports import Line, month_before, next_month, this_month

GONE = "accounts that are gone"
NO_KEY = "no key, or not known"
# Stands in an address for people whose account is gone, and for what no key paid.
NOBODY = "none"
# More keys than that are found by searching.
KEYS_OFFERED = 50


@dataclass(frozen=True)
class Group:
    """A way to sum. A line leads to the page filtered by it (``parameter``), summed by ``next``."""

    title: str
    keys: tuple[str, ...]
    name: Callable[[Line], str]
    parameter: str = ""
    value: Callable[[Line], str] = lambda line: ""
    next: str = ""


GROUPS = {
    "person": Group(
        "person",
        ("user_id", "user__username"),
        lambda line: line.user__username or GONE,
        "person",
        lambda line: str(line.user_id or NOBODY),
        "model",
    ),
    "key": Group(
        "key", ("key_ref",), lambda line: line.key_label or NO_KEY, "key", lambda line: line.key_ref or NOBODY, "person"
    ),
    "model": Group("model", ("model_id",), lambda line: line.model_id, "model", lambda line: line.model_id, "person"),
    "provider": Group("provider", ("provider",), lambda line: line.provider or "–"),
    "day": Group("day", ("day",), lambda line: f"{line.day}"),
}


class Asked(SimpleListFilter):
    """A filter that says which of its choices holds where none was made."""

    usual = ""

    def choices(self, changelist: Any) -> Any:
        chosen = self.value() or self.usual
        for value, title in self.lookup_choices:
            yield {
                "selected": str(value) == chosen,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }


class PeriodFilter(Asked):
    title = "period"
    parameter_name = "period"
    usual = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("today", "Today"),
            ("week", "7 days"),
            ("month", "This month"),
            ("before", "Last month"),
            ("quarter", "90 days"),
            ("year", "A year"),
            ("all", "Always"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DailyUse]) -> QuerySet[DailyUse]:
        if self.value() == "all":
            return queryset
        begins, ends = self.bounds(self.value(), date.min, date.max)
        return queryset.filter(day__gte=begins, day__lt=ends)

    @staticmethod
    def bounds(value: str | None, first: date, last: date) -> tuple[date, date]:
        """The first day of a period, and the first that is past it; of all time, the days that are used."""
        today, tomorrow = timezone.localdate(), timezone.localdate() + timedelta(days=1)
        known = {
            "today": (today, tomorrow),
            "week": (today - timedelta(days=6), tomorrow),
            "before": (month_before(this_month()), this_month()),
            "quarter": (today - timedelta(days=89), tomorrow),
            "year": (today - timedelta(days=364), tomorrow),
        }
        if value == "all":
            return first, last + timedelta(days=1)
        return known.get(value or "", (this_month(), next_month(this_month())))


class SummedBy(Asked):
    """Filters nothing."""

    title = "grouping"
    parameter_name = "by"
    usual = "person"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, f"By {group.title}") for name, group in GROUPS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DailyUse]) -> QuerySet[DailyUse]:
        return queryset


class Addressed(SimpleListFilter):
    """Filters by what an address says, which may be what no column holds."""

    def value(self) -> str | None:
        chosen = super().value()
        return chosen.replace("\x00", "") if chosen else chosen


class KeyFilter(Addressed):
    title = "key"
    parameter_name = "key"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Keys that were used in the last three months."""
        lately = DailyUse.objects.filter(day__gte=timezone.localdate() - timedelta(days=90)).exclude(key_ref="")
        known = lately.values_list("key_ref").annotate(label=Max("key_label"), last=Max("day")).order_by("-last")
        offered = {ref: label or ref for ref, label, _ in known[:KEYS_OFFERED]}
        chosen = request.GET.get(self.parameter_name)
        return [*offered.items(), *([(chosen, "This one")] if chosen and chosen not in offered else [])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DailyUse]) -> QuerySet[DailyUse]:
        chosen = self.value()
        return queryset.filter(key_ref="" if chosen == NOBODY else chosen) if chosen else queryset


class Chosen(Addressed):
    """Offers only what was chosen, by a link: there may be thousands."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get(str(self.parameter_name))
        return [(chosen, self.called(chosen))] if chosen else []

    def called(self, chosen: str) -> str:
        """What is chosen, in words."""
        return chosen


class PersonFilter(Chosen):
    title = "person"
    parameter_name = "person"

    def called(self, chosen: str) -> str:
        return GONE if chosen == NOBODY else str(User.objects.filter(pk=_number(chosen)).first() or "nobody")

    def queryset(self, request: HttpRequest, queryset: QuerySet[DailyUse]) -> QuerySet[DailyUse]:
        chosen = self.value()
        if not chosen:
            return queryset
        return queryset.filter(user=None) if chosen == NOBODY else queryset.filter(user=_number(chosen))


class ModelFilter(Chosen):
    title = "model"
    parameter_name = "model"

    def queryset(self, request: HttpRequest, queryset: QuerySet[DailyUse]) -> QuerySet[DailyUse]:
        return queryset.filter(model_id=self.value()) if self.value() else queryset


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
