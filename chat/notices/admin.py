"""All notices there were, to look through; the code writes them."""

from django.contrib import admin
from django.http import HttpRequest

from chat.notices.models import Notice


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin[Notice]):
    list_display = ("sentence", "kind", "created_at", "settled_at")
    list_filter = ("kind", "created_at")
    search_fields = ("sentence",)
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return False
