"""Rows that only the playground writes: an administrator reads them, as a page or as a file."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path

from chat.csv_download import csv_response


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows to read and never to change, whatever one's permissions."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class DownloadedAdmin(ReadOnlyAdmin):
    """The same, with a link that downloads what the filters leave, all pages of it.

    ``csv_columns`` are titles with what gives the value of a row.
    """

    change_list_template = "admin/chat/downloaded_change_list.html"
    csv_columns: Sequence[tuple[str, Callable[[Any], Any]]] = ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.download)
        return [path("csv/", view, name=f"{self.opts.app_label}_{self.opts.model_name}_csv"), *super().get_urls()]

    def download(self, request: HttpRequest) -> HttpResponseBase:
        """Everything that the page with the same query lists. Raises ``PermissionDenied``."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return csv_response(
            request,
            str(self.opts.verbose_name_plural).replace(" ", "-"),
            [title for title, _ in self.csv_columns],
            found,
            lambda row: [read(row) for _, read in self.csv_columns],
        )
