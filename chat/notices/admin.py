"""All notices there were, to look through; the code writes them."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from chat.administration.read_only import ReadOnlyAdmin
from chat.notices.models import Notice


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("sentence", "kind", "created_at", "settled_at", "sent")
    list_filter = ("kind", "created_at")
    search_fields = ("sentence",)
    date_hierarchy = "created_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        return super().get_queryset(request).prefetch_related("deliveries")

    @admin.display(description="sent")
    def sent(self, notice: Notice) -> str:
        """By which channels, and what is in the way of others."""
        return "; ".join(f"{sent.get_channel_display()}: {sent.state}" for sent in notice.deliveries.all())
