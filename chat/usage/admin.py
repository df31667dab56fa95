"""Usage in Django admin: sums by person, key, model, provider and day with a chart, the ledger below them, and how much
each person stores. All of it is read and downloaded, none of it changed. It holds no text of anybody.
"""

from datetime import date
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Count, Max, Min, Q, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.functional import cached_property

from chat.administration.read_only import DownloadedAdmin, ReadOnlyAdmin
from chat.usage.chart import chart
from chat.usage.filters import GROUPS, Group, KeyFilter, ModelFilter, PeriodFilter, PersonFilter, SummedBy
from chat.usage.models import DailyUse, StoredText, UsageRecord
from chat.usage.reports import Line, lines, total
from chat.usage.spans import span_of, spans
from chat.usage.waits import percentiles

# As many lines as one reads; the download has all.
LINES_SHOWN = 200
# Counting millions of rows for the number of the last page takes longer than anybody looks at it.
MOST_COUNTED = 10_000


@admin.register(DailyUse)
class DailyUseAdmin(DownloadedAdmin):
    """What the filters leave, as a chart and summed by what one chooses."""

    change_list_template = "admin/chat/daily_use_change_list.html"
    list_filter = (PeriodFilter, SummedBy, KeyFilter, PersonFilter, ModelFilter, "provider")
    search_fields = ("user__username", "model_id", "key_label")
    search_help_text = "Person, model or key"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    # The lines are summed, not listed.
    list_per_page = 1
    csv_columns = (
        ("day", lambda row: row.day.isoformat()),
        ("person", lambda row: row.user.username if row.user else ""),
        ("key", lambda row: row.key_label),
        ("model", lambda row: row.model_id),
        ("provider", lambda row: row.provider),
        ("requests", lambda row: row.requests),
        ("failed", lambda row: row.failures),
        ("tokens in", lambda row: row.tokens_in),
        ("tokens out", lambda row: row.tokens_out),
        ("dollars", lambda row: f"{row.spent:f}"),
        ("requests without a price", lambda row: row.unpriced),
        ("requests with estimated tokens", lambda row: row.estimated),
        ("first token p50 seconds", lambda row: _seconds(_waits(row).p50)),
        ("first token p95 seconds", lambda row: _seconds(_waits(row).p95)),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DailyUse]:
        found: QuerySet[DailyUse] = super().get_queryset(request)
        return found.select_related("user").prefetch_related("waits")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        response = super().changelist_view(request, {"title": "Use", **(extra_context or {})})
        # Strange filters lead elsewhere.
        if isinstance(response, TemplateResponse) and response.context_data:
            changes = response.context_data["cl"]
            group = GROUPS.get(str(request.GET.get(SummedBy.parameter_name)), GROUPS["person"])
            found = changes.get_queryset(request).select_related(None).prefetch_related(None)
            response.context_data |= _summed(found, group, changes)
        return response


@admin.register(UsageRecord)
class UsageRecordAdmin(DownloadedAdmin):
    """The ledger: each answer's figures, the newest first."""

    list_display = (
        "at",
        "user",
        "model_id",
        "provider",
        "key_label",
        "tokens_in",
        "tokens_out",
        "cost",
        "first_token_seconds",
        "failed",
    )
    list_filter = ("failed", "estimated", "day")
    search_fields = ("=user__username", "=model_id", "=run_id")
    search_help_text = "Exactly a person, a model, or the number of an answer"
    list_select_related = ("user",)
    ordering = ("-pk",)
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    csv_columns = (
        ("when", lambda use: use.at),
        ("person", lambda use: use.user.username if use.user else ""),
        ("key", lambda use: use.key_label),
        ("model", lambda use: use.model_id),
        ("provider", lambda use: use.provider),
        ("answer", lambda use: use.run_id),
        ("tokens in", lambda use: use.prompt_tokens),
        ("tokens out", lambda use: use.completion_tokens),
        ("tokens are estimated", lambda use: "yes" if use.estimated else ""),
        ("dollars", lambda use: None if use.cost is None else f"{use.cost:f}"),
        ("first token seconds", lambda use: use.first_token_seconds),
        ("failed", lambda use: "yes" if use.failed else ""),
    )

    def get_paginator(self, request: HttpRequest, queryset: Any, per_page: int, *args: Any, **kw: Any) -> "NearbyPages":
        return NearbyPages(queryset, per_page)

    @admin.display(description="tokens in", ordering="prompt_tokens")
    def tokens_in(self, use: UsageRecord) -> str:
        return _counted(use.prompt_tokens, use.estimated)

    @admin.display(description="tokens out", ordering="completion_tokens")
    def tokens_out(self, use: UsageRecord) -> str:
        return _counted(use.completion_tokens, use.estimated)


class NearbyPages(Paginator[Any]):
    """The first pages of a long list; what is further back is found by filters and in the download."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[:MOST_COUNTED].count())


@admin.register(StoredText)
class StoredTextAdmin(ReadOnlyAdmin):
    """How much each person stores; somebody who has written nothing since this is counted is not listed yet."""

    list_display = ("user", "megabytes", "chats")
    list_display_links = None
    ordering = ("-bytes",)
    search_fields = ("user__username",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredText]:
        listed = Q(user__conversations__is_draft=False, user__conversations__deleted_at__isnull=True)
        found: QuerySet[StoredText] = super().get_queryset(request)
        return found.select_related("user").annotate(listed=Count("user__conversations", filter=listed))

    @admin.display(description="megabytes", ordering="bytes")
    def megabytes(self, stored: StoredText) -> str:
        return f"{stored.bytes / 1_000_000:,.1f}"

    @admin.display(description="chats", ordering="listed")
    def chats(self, stored: Any) -> int:
        return int(stored.listed)


def _summed(found: QuerySet[DailyUse], group: Group, changes: Any) -> dict[str, Any]:
    """The chart and the lines of a page of sums."""
    summed = lines(found, *group.keys)
    if group.keys == ("day",):
        summed.sort(key=lambda line: line.day or date.min, reverse=True)
    days = found.aggregate(first=Min("day"), last=Max("day"))
    drawn = None
    if days["first"] is not None:
        begins, ends = PeriodFilter.bounds(changes.params.get(PeriodFilter.parameter_name), days["first"], days["last"])
        by_day = lines(found, "day", *(key for key in group.keys if key != "day"))
        uses = [(span_of(line.day, begins, ends), group.name(line), line) for line in by_day if line.day]
        drawn = chart(uses, spans(begins, ends))
    rows = [(line, group.name(line), _address(changes, group, line)) for line in summed[:LINES_SHOWN]]
    return {
        "chart": drawn,
        "group": group,
        "lines": rows,
        "more": max(0, len(summed) - LINES_SHOWN),
        "total": total(found),
    }


def _address(changes: Any, group: Group, line: Line) -> str:
    """Where the use of one line alone is shown, summed by what says more about it."""
    if not group.parameter:
        return ""
    return str(changes.get_query_string({group.parameter: group.value(line), SummedBy.parameter_name: group.next}))


def _waits(row: DailyUse) -> Any:
    return percentiles((wait.bucket, wait.requests) for wait in row.waits.all())


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _counted(tokens: int | None, estimated: bool) -> str:
    return "–" if tokens is None else f"{'≈ ' if estimated else ''}{tokens:,}"
