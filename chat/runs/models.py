"""Run, its journal, and the processes that write: everything the engine keeps in the database.

A run does not know what a conversation is: it has a ``topic`` to announce to and a text. Its status
changes only through ``Run.objects.move``, a guarded update; that one mechanism decides stops, crashes and
ownership.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chat.catalogue.models import Endpoint
from chat.prepared import PreparedUpdate, given
from chat.providers.requests import WireRequest

HEARTBEAT_SECONDS = 3.0
# A process whose heartbeat is older is taken for dead. Three missed beats and a little: a busy
# loop is late, and an answer must be marked interrupted within 15 s of a crash.
STALE_AFTER = timedelta(seconds=11)


class Process(models.Model):
    """One serving process, alive while ``heartbeat_at`` is fresh."""

    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(default=timezone.now)
    heartbeat_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"Process {self.pk}"


class RunQuerySet(models.QuerySet["Run"]):
    def active(self) -> "RunQuerySet":
        # What has an end is no longer active; saying so lets SQLite use the small indexes of unfinished runs, whose
        # condition it must find word for word.
        return self.filter(status__in=Run.ACTIVE, finished_at__isnull=True)

    def unsettled(self) -> "RunQuerySet":
        """Active ones, and stopped ones whose writer has not stored their text yet."""
        return self.filter(status__in=(*Run.ACTIVE, Run.Status.STOPPED), finished_at__isnull=True)

    def beside(self, runs: "RunQuerySet") -> "RunQuerySet":
        """All unsettled ones that share a topic with one of ``runs``."""
        return self.unsettled().filter(topic__in=runs.values("topic"))

    def held(self) -> "RunQuerySet":
        """For this transaction alone. Whoever writes one holds all unsettled ones of its topic first, the oldest first,
        so that no two wait for each other; those who only refer to one need not wait. SQLite has one writer anyway."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def to_be_written(self) -> "RunQuerySet":
        """Unsettled ones that need a worker: one that waits behind another needs none before that has ended."""
        return self.unsettled().exclude(status=Run.Status.QUEUED, after__isnull=False)

    def left_behind(self, stale: datetime) -> "RunQuerySet":
        """Those whose worker was in a process that has been silent since ``stale``."""
        silent = Q(process__isnull=True, created_at__lt=stale) | Q(process__heartbeat_at__lt=stale)
        return self.to_be_written().filter(silent)

    def move(self, pk: int, old: "Run.Status | Iterable[Run.Status]", new: "Run.Status", **fields: Any) -> bool:
        """Change the status of one run if it still is ``old``; True when this call was the one that changed it."""
        allowed = [old] if isinstance(old, Run.Status) else list(old)
        illegal = [status for status in allowed if new not in Run.TRANSITIONS[status]]
        if illegal:
            raise ValueError(f"A run cannot go from {illegal[0]} to {new}.")
        return _move(tuple(allowed), tuple(fields))(run=pk, status=new, **fields) == 1


class Run(models.Model):
    """One answer being written, and then the answer. Times are in UTC, durations in seconds, money in US dollars."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        STREAMING = "streaming", "Streaming"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"
        FAILED = "failed", "Failed"
        INTERRUPTED = "interrupted", "Interrupted"

    ACTIVE = (Status.QUEUED, Status.STREAMING)
    # Why a provider ended an answer that its reader should hear of.
    ODD_REASONS = ("length", "content_filter")
    TRANSITIONS: dict["Run.Status", tuple["Run.Status", ...]] = {
        Status.QUEUED: (Status.STREAMING, Status.STOPPED, Status.FAILED, Status.INTERRUPTED),
        Status.STREAMING: (Status.DONE, Status.STOPPED, Status.FAILED, Status.INTERRUPTED),
        Status.DONE: (),
        Status.STOPPED: (),
        Status.FAILED: (),
        Status.INTERRUPTED: (),
    }

    topic = models.CharField(max_length=64, help_text="Where changes are announced.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="runs")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.QUEUED)
    process = models.ForeignKey(Process, null=True, on_delete=models.SET_NULL, related_name="runs")
    after = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="followers",
        help_text="Waits until that run has ended.",
    )

    endpoint = models.ForeignKey(Endpoint, null=True, on_delete=models.SET_NULL, related_name="+")
    model_id = models.CharField(max_length=300)
    provider = models.CharField(max_length=60, blank=True)
    key_ref = models.CharField(max_length=40, blank=True)
    key_label = models.CharField(max_length=80, blank=True)
    input_price = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    output_price = models.DecimalField(max_digits=12, decimal_places=6, null=True)
    request = models.TextField(
        blank=True, help_text="Frozen: exactly what is sent, without the key. Text, because JSON columns reorder keys."
    )

    begun_by_request = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="X-Request-ID of what asked for it."
    )

    # Null for no: SQLite cannot add a column with a value without making the table anew, search and all.
    holds_reservation = models.BooleanField(
        null=True, help_text="Something of limits is kept for it until its end settles them."
    )

    prefix = models.TextField(blank=True, help_text="Text of the answer that this run continues.")
    text = models.TextField(blank=True)
    reasoning = models.TextField(blank=True)
    tool_calls: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    logprobs: models.JSONField[list[dict[str, Any]], list[dict[str, Any]]] = models.JSONField(default=list)
    html = models.TextField(blank=True)
    reasoning_html = models.TextField(blank=True)
    renderer_version = models.PositiveSmallIntegerField(default=0)

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    first_token_seconds = models.FloatField(null=True)
    reasoning_seconds = models.FloatField(null=True)
    elapsed_seconds = models.FloatField(null=True)
    tokens_per_second = models.FloatField(null=True)
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    reasoning_tokens = models.PositiveIntegerField(null=True)
    cached_tokens = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    # Null for no: SQLite cannot add a column with a value without making the table anew, search and all.
    usage_estimated = models.BooleanField(null=True, help_text="The provider did not say how many tokens it were.")
    billed_by_hour = models.BooleanField(null=True, help_text="Its endpoint has no price by token. Null for no.")
    finish_reason = models.CharField(max_length=40, blank=True)
    served_by = models.CharField(max_length=60, blank=True)
    answered_model = models.CharField(max_length=300, blank=True)
    response_id = models.CharField(max_length=200, blank=True)
    system_fingerprint = models.CharField(max_length=200, blank=True)
    response_headers: models.JSONField[dict[str, str], dict[str, str]] = models.JSONField(default=dict)

    error_kind = models.CharField(max_length=40, blank=True)
    error_sentence = models.TextField(blank=True)
    error_raw = models.TextField(blank=True)
    error_parameter = models.CharField(max_length=60, blank=True)
    error_remedies: models.JSONField[list[str], list[str]] = models.JSONField(default=list)

    objects = RunQuerySet.as_manager()

    # What counts as stored text of the owner.
    TEXTS = (
        *("request", "prefix", "text", "reasoning", "tool_calls", "logprobs", "html", "reasoning_html"),
        *("response_headers", "error_raw"),
    )

    class Meta:
        indexes = [
            models.Index(fields=["topic"], condition=Q(finished_at__isnull=True), name="unfinished_runs_of_a_topic"),
            models.Index(fields=["owner"], condition=Q(finished_at__isnull=True), name="unfinished_runs_of_a_person"),
            models.Index(fields=["status"], condition=Q(finished_at__isnull=True), name="unfinished_runs"),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk} ({self.status})"

    @property
    def is_active(self) -> bool:
        return self.status in self.ACTIVE

    @property
    def is_settled(self) -> bool:
        """Whether its end is stored. A run that was stopped a moment ago has its text only then."""
        return self.finished_at is not None

    @property
    def is_waiting(self) -> bool:
        """Queued behind another answer of its lane, whose text its request will hold."""
        return self.status == self.Status.QUEUED and self.after_id is not None

    @property
    def notice(self) -> str:
        """What a queued run waits for, in words."""
        return "Waits for the answer above." if self.is_waiting else ""

    @property
    def has_reasoning(self) -> bool:
        """Whether there are thoughts to show."""
        return bool(self.reasoning_html)

    @property
    def was_cut_off(self) -> bool:
        """Whether there is something to go on with."""
        ended_early = self.status in (self.Status.STOPPED, self.Status.INTERRUPTED, self.Status.FAILED)
        return self.finish_reason == "length" or (ended_early and bool(self.prefix or self.text))

    @property
    def only_reasoning(self) -> bool:
        """The model used all it may write for thinking."""
        return not self.is_active and bool(self.reasoning.strip()) and not self.text.strip() and not self.tool_calls

    @property
    def counted_tokens(self) -> int | None:
        """What all up to here takes of the context, where the provider has counted it. Thoughts are not sent again."""
        if self.prompt_tokens is None or self.completion_tokens is None or self.usage_estimated:
            return None
        return self.prompt_tokens + self.completion_tokens - (self.reasoning_tokens or 0)

    @property
    def ended_well(self) -> bool:
        """Whether there is nothing to say about its end: it is there, or still to come."""
        if self.status != self.Status.DONE:
            return self.is_active
        return self.finish_reason not in self.ODD_REASONS and not self.only_reasoning

    @property
    def wire_request(self) -> WireRequest:
        return WireRequest.from_json(self.request)


@lru_cache(maxsize=64)
def _move(allowed: "tuple[Run.Status, ...]", names: tuple[str, ...]) -> PreparedUpdate:
    return PreparedUpdate(lambda: Run.objects.filter(pk=given("run"), status__in=allowed), "status", *names)


class RunChunk(models.Model):
    """A piece of a live run's text, written every 300 ms and folded into the run when it ends."""

    class Kind(models.TextChoices):
        TEXT = "t", "Text"
        REASONING = "r", "Reasoning"
        MOVED = "m", "All text so far was reasoning"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="chunks")
    seq = models.PositiveIntegerField()
    kind = models.CharField(max_length=1, choices=Kind.choices)
    text = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="one_chunk_per_seq")]
        ordering = ["seq"]

    def __str__(self) -> str:
        return f"{self.run_id}#{self.seq}"


def text_of_chunks(chunks: Iterable[RunChunk]) -> tuple[str, str]:
    """The text and the reasoning that chunks in their order amount to."""
    text: list[str] = []
    reasoning: list[str] = []
    for chunk in chunks:
        if chunk.kind == RunChunk.Kind.TEXT:
            text.append(chunk.text)
        elif chunk.kind == RunChunk.Kind.REASONING:
            reasoning.append(chunk.text)
        else:
            reasoning.extend(text)
            text.clear()
    return "".join(text), "".join(reasoning)
