"""The audit log in Django admin: filtered, searched, downloaded, and nothing else."""

import json
from typing import Any

from django.contrib import admin

from chat.administration.read_only import DownloadedAdmin
from chat.audit.models import AuditEntry


@admin.register(AuditEntry)
class AuditEntryAdmin(DownloadedAdmin):
    """Who did what, the newest first."""

    list_display = ("at", "who", "verb", "subject_kind", "subject_name", "what_changed")
    list_display_links = None
    list_filter = ("verb", "subject_kind", "at", "actor_name")
    search_fields = ("actor_name", "subject_name", "=subject_id", "=request_id")
    date_hierarchy = "at"
    ordering = ("-pk",)
    csv_columns = (
        ("when", lambda entry: entry.at),
        ("who", lambda entry: entry.actor_name),
        ("id of who", lambda entry: entry.actor_id),
        ("did", lambda entry: entry.verb),
        ("kind", lambda entry: entry.subject_kind),
        ("id", lambda entry: entry.subject_id),
        ("what", lambda entry: entry.subject_name),
        ("details", lambda entry: json.dumps(entry.details, ensure_ascii=False) if entry.details else ""),
        ("request", lambda entry: entry.request_id),
    )

    @admin.display(description="who", ordering="actor_name")
    def who(self, entry: AuditEntry) -> str:
        return entry.actor_name or "the playground"

    @admin.display(description="what changed")
    def what_changed(self, entry: AuditEntry) -> str:
        return "; ".join(f"{name.replace('_', ' ')}: {_told(value)}" for name, value in entry.details.items())


def _told(value: Any) -> str:
    if isinstance(value, dict) and set(value) == {"from", "to"}:
        return f"{_told(value['from'])} → {_told(value['to'])}"
    if isinstance(value, list):
        return ", ".join(map(_told, value)) or "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value in (None, "") else str(value)
