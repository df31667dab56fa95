"""Usage in Django admin: who asked which model how much and stores how much, to read and never to change.

It holds no text of anybody.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from chat.administration.read_only import ReadOnlyAdmin
from chat.usage.models import StoredText, UsageRecord
from chat.usage.reports import by_person, this_month


@admin.register(UsageRecord)
class UsageRecordAdmin(ReadOnlyAdmin):
    """Each answer's figures, under the sums of the current month for each person."""

    change_list_template = "chat/usage/admin_change_list.html"
    list_display = (
        "at",
        "user",
        "model_id",
        "provider",
        "key_label",
        "prompt_tokens",
        "completion_tokens",
        "cost",
        "failed",
    )
    list_filter = ("failed", "at", "provider")
    search_fields = ("user__username", "model_id")
    date_hierarchy = "at"
    list_select_related = ("user",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        people = {"month": this_month(), "people": by_person(this_month())}
        return super().changelist_view(request, people | (extra_context or {}))


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
