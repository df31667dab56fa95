"""Usage in Django admin: who asked which model how much, to read and never to change. It holds no text of anybody."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from chat.usage.models import UsageRecord
from chat.usage.reports import by_person, this_month


@admin.register(UsageRecord)
class UsageRecordAdmin(admin.ModelAdmin[UsageRecord]):
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

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: UsageRecord | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: UsageRecord | None = None) -> bool:
        return False
