"""All notices there were, to look through; the code writes them."""

from django.contrib import admin

from chat.administration.read_only import ReadOnlyAdmin
from chat.notices.models import Notice


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("sentence", "kind", "created_at", "settled_at")
    list_filter = ("kind", "created_at")
    search_fields = ("sentence",)
    date_hierarchy = "created_at"
