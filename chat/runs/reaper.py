"""Ends what dead processes left: their runs become interrupted, with the text that the journal has.

Runs at start-up and every few seconds in each serving process. Two reapers may meet over one run; the guarded update
lets one of them win.
"""

import logging
import os
import socket
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from chat.database import AWAY
from chat.prepared import Prepared, given
from chat.runs.actions import settle_run
from chat.runs.models import STALE_AFTER, Process, Run, text_of_chunks
from chat.runs.outcome import INTERRUPTED, outcome_of_remains
from chat.runs.reservations import settle_forgotten

INTERVAL_SECONDS = 3.0
FORGET_AFTER = timedelta(days=1)
logger = logging.getLogger(__name__)
# Asked every few seconds, however idle the process is.
_IS_HEARD = Prepared(
    lambda: Process.objects.filter(pk=given("process"), heartbeat_at__gte=given("stale")).values_list("pk", flat=True)
)
_LEFT_BEHIND = Prepared(lambda: Run.objects.left_behind(given("stale")).values_list("pk", flat=True))
_TO_BE_WRITTEN = Prepared(lambda: Run.objects.to_be_written().values_list("pk", "process_id", "status"))
_FORGOTTEN = Prepared(
    lambda: Process.objects.filter(heartbeat_at__lt=given("long_ago"), runs__isnull=True).values_list("pk", flat=True)
)


def bury_the_dead(own_process_id: int) -> None:
    """Mark processes of this machine that are provably gone, so that a restart need not wait for stale heartbeats.

    A row with this very process id is an earlier life of it: containers give each start the same number.
    """
    long_ago = timezone.now() - 2 * STALE_AFTER
    for process in Process.objects.filter(host=socket.gethostname(), heartbeat_at__gt=long_ago).exclude(
        pk=own_process_id
    ):
        if process.pid == os.getpid() or not _alive(process.pid):
            Process.objects.filter(pk=process.pk).update(heartbeat_at=long_ago)


def others_alive(own_process_id: int) -> int:
    """How many processes beside this one have beaten their heart of late."""
    fresh = timezone.now() - STALE_AFTER
    return Process.objects.filter(heartbeat_at__gte=fresh).exclude(pk=own_process_id).count()


def reap(own_process_id: int) -> int:
    """Settle every run that nobody writes any more; returns how many.

    A process that was silent itself, because the database was away or the machine asleep, first lets the others speak.
    """
    now = timezone.now()
    if not _IS_HEARD.rows(process=own_process_id, stale=now - STALE_AFTER):
        return 0
    settle_forgotten()
    reaped = interrupt(_LEFT_BEHIND.rows(stale=now - STALE_AFTER))
    if _FORGOTTEN.rows(long_ago=now - FORGET_AFTER):
        Process.objects.filter(heartbeat_at__lt=now - FORGET_AFTER, runs__isnull=True).delete()
    return reaped


def runs_to_write(process_id: int) -> dict[int, str]:
    """The runs that this process has to write, with their status.

    Sorted out here: by their process, all that it ever wrote were read.
    """
    return {pk: status for pk, owner, status in _TO_BE_WRITTEN.rows() if owner == process_id}


def interrupt(run_ids: Iterable[int]) -> int:
    """End runs that nobody writes; returns how many. One that cannot be ended keeps no other from it."""
    wanted = set(run_ids)
    return sum(_interrupt(run) for run in Run.objects.filter(pk__in=wanted).order_by("pk")) if wanted else 0


def _interrupt(run: Run) -> bool:
    try:
        text, reasoning = text_of_chunks(run.chunks.all())
        outcome = outcome_of_remains(run, Run.Status.INTERRUPTED, text, reasoning, INTERRUPTED)
        settled = settle_run(run.pk, outcome, run.process_id) is not None
    except AWAY:
        raise
    except Exception:
        logger.exception("Run %d cannot be ended.", run.pk)
        return False
    if settled:
        logger.info("Run %d was left behind by process %s and is interrupted.", run.pk, run.process_id)
    return settled


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
