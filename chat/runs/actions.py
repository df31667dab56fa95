"""The verbs of the engine that write rows: queue, claim, stop, settle.

Each is one transaction and safe to call from any process; who wins is decided by ``Run.objects.move``.
"""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from chat.prepared import Prepared, PreparedDelete, given
from chat.runs import broadcast, reservations
from chat.runs.models import Run, RunChunk, RunQuerySet
from chat.runs.outcome import Outcome, figures_of
from chat.runs.reporting import report_end
from chat.runs.signals import run_ended
from chat.usage import storage
from chat.usage.metering import record_usage

# What the end of a run is decided and counted by; its request alone can be longer than all the rest.
READ_AT_THE_END = (
    "topic",
    "owner",
    "status",
    "process",
    "started_at",
    "model_id",
    "provider",
    "key_ref",
    "key_label",
    "input_price",
    "output_price",
    "billed_by_hour",
    "endpoint__slug",
    "error_kind",
    "begun_by_request",
    "holds_reservation",
)
_UNSETTLED = Prepared(
    lambda: Run.objects.unsettled().select_related("endpoint").only(*READ_AT_THE_END).filter(pk=given("run"))
)
_REMOVE_CHUNKS = PreparedDelete(lambda: RunChunk.objects.filter(run=given("run")))


def claim_run(run_id: int, process_id: int) -> bool:
    """Take a queued run for this process; False when it is no longer there to be taken.

    Taking it again is taking it: the first time may have been confirmed to nobody.
    """
    taken = Run.objects.move(
        run_id, Run.Status.QUEUED, Run.Status.STREAMING, process_id=process_id, started_at=timezone.now()
    )
    return taken or Run.objects.filter(pk=run_id, status=Run.Status.STREAMING, process_id=process_id).exists()


def hold_runs(runs: RunQuerySet) -> None:
    """Hold these and all beside them until the transaction ends."""
    if connection.features.has_select_for_update:
        list(Run.objects.beside(runs).held().values_list("pk"))


def stop_run(run_id: int) -> bool:
    """Stop a queued or streaming run; False when it had ended already. The text so far is kept by whoever writes it."""
    with transaction.atomic():
        hold_runs(Run.objects.filter(pk=run_id))
        if not Run.objects.move(run_id, Run.ACTIVE, Run.Status.STOPPED):
            return False
        # One that waits behind another answer has no worker that could settle it.
        if Run.objects.filter(pk=run_id, after__isnull=False).update(finished_at=timezone.now()) == 1:
            run = Run.objects.select_related("endpoint").get(pk=run_id)
            reservations.settle(run)
            _end_well(run)
    return True


def settle_run(run_id: int, outcome: Outcome, process_id: int | None) -> Run | None:
    """Store how a run ended, unless another process owns it than ``process_id`` or somebody settled it before.

    A run that a person stopped stays ``stopped`` whatever the worker reports. Returns the run, or None when it was not
    this caller's to settle.
    """
    with transaction.atomic():
        hold_runs(Run.objects.filter(pk=run_id))
        run = _UNSETTLED.first(run=run_id)
        if run is None or run.process_id != process_id:
            return None
        fields: dict[str, Any] = {
            **outcome.fields,
            **figures_of(run, outcome),
            "finished_at": timezone.now(),
        }
        if not _end(run, outcome.status, fields):
            return None
        _REMOVE_CHUNKS(run=run_id)
        for name, value in fields.items():
            setattr(run, name, value)
        _record(run)
        reservations.settle(run)
        _end_well(run, outcome.tokens)
        storage.add(run.owner_id, _bytes_written(fields))
    return run


def _end(run: Run, status: Run.Status, fields: dict[str, Any]) -> bool:
    if run.status == Run.Status.STOPPED:
        return Run.objects.unsettled().filter(pk=run.pk, status=Run.Status.STOPPED).update(**fields) == 1
    old = Run.Status(run.status)
    run.status = status
    return status in Run.TRANSITIONS[old] and Run.objects.move(run.pk, old, status, **fields)


def _bytes_written(fields: dict[str, Any]) -> int:
    """By how much storing these fields of an answer makes it longer than it was while it was queued."""
    written = tuple(name for name in Run.TEXTS if name in fields)
    stored = Run(**{name: fields[name] for name in written})
    return storage.bytes_of(stored, written) - storage.bytes_of(Run(), written)


def _record(run: Run) -> None:
    if run.started_at is None:
        return
    record_usage(
        user_id=run.owner_id,
        run_id=run.pk,
        model_id=run.model_id,
        provider=run.served_by or run.provider,
        key_ref=run.key_ref,
        key_label=run.key_label,
        prompt_tokens=run.prompt_tokens,
        completion_tokens=run.completion_tokens,
        cost=run.cost,
        failed=run.status == Run.Status.FAILED,
        first_token_seconds=run.first_token_seconds,
        estimated=bool(run.usage_estimated),
    )


def _end_well(run: Run, tokens: int = 0) -> None:
    """What follows from an end is stored with it or not at all; pages hear of it once it is."""
    transaction.on_commit(lambda: broadcast.publish(run.topic, broadcast.RunEnded(run.pk)))
    run_ended.send(sender=Run, run=run)
    transaction.on_commit(lambda: report_end(run, tokens))
