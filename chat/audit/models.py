"""AuditEntry: one thing that somebody did. It refers to nothing: names are copied, so that no deletion changes a row.

The model refuses what would change or remove rows; so does the database itself (``guard``), whoever asks it.
"""

from collections.abc import Iterable
from typing import Any, NoReturn

from django.db import models
from django.utils import timezone


class AppendOnly(Exception):
    """Something tried to change or remove what the audit log holds."""

    def __init__(self) -> None:
        super().__init__("The audit log is append-only.")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Reads and adds."""

    def update(self, **fields: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly

    def bulk_create(self, objs: Iterable["AuditEntry"], *args: Any, **options: Any) -> list["AuditEntry"]:
        if options.get("update_conflicts"):
            raise AppendOnly
        return super().bulk_create(objs, *args, **options)


class AuditEntry(models.Model):
    """One row of the log. Who is nobody where the playground did it itself, or somebody at its command line."""

    at = models.DateTimeField("when", default=timezone.now, db_index=True)
    actor_id = models.BigIntegerField("id of who did it", null=True)
    actor_name = models.CharField("who", max_length=150, blank=True)
    verb = models.CharField("did", max_length=20)
    subject_kind = models.CharField("kind", max_length=60)
    subject_id = models.CharField("id", max_length=40, blank=True)
    subject_name = models.CharField("what", max_length=200)
    details: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True, help_text="X-Request-ID of what asked for it.")

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit log entries"
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="audit_of_a_subject")]

    def __str__(self) -> str:
        return f"{self.actor_name or 'the playground'} {self.verb} {self.subject_name}"

    def save(self, *args: Any, **options: Any) -> None:
        """Add the row. Raises ``AppendOnly`` for one that is there already."""
        if not self._state.adding:
            raise AppendOnly
        options["force_insert"] = True
        super().save(*args, **options)

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise AppendOnly
