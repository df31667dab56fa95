"""The page that a Prometheus server reads: the figures of this process, and the runs of all.

It is there for whoever shows ``METRICS_TOKEN``; for everybody else, and where none is set, it does not exist.
"""

import platform

import django
from django.conf import settings
from django.db import DatabaseError
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from chat import metrics
from chat.bounded import Bounded
from chat.runs.models import Run

metrics.BUILD.info({"version": settings.VERSION, "python": platform.python_version(), "django": django.get_version()})


@never_cache
@require_safe
def scrape(request: HttpRequest) -> HttpResponse:
    """Answer with all figures as text; 404 without the right bearer token."""
    if not _may_read(request.headers.get("Authorization", "")):
        raise Http404
    _count_runs()
    return HttpResponse(generate_latest(metrics.REGISTRY), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_read(authorization: str) -> bool:
    scheme, _, token = authorization.partition(" ")
    shown = constant_time_compare(token.strip(), settings.METRICS_TOKEN)
    return bool(settings.METRICS_TOKEN) and scheme.lower() == "bearer" and shown


def _count_runs() -> None:
    """A database that is away takes no other figure along."""
    try:
        counts = _unsettled.answer()
    except (DatabaseError, TimeoutError):
        metrics.DATABASE_UP.set(0)
        metrics.RUNS.clear()
        return
    metrics.DATABASE_UP.set(1)
    for status in (*Run.ACTIVE, Run.Status.STOPPED):
        metrics.RUNS.labels(status).set(counts.get(status, 0))


def _runs_by_status() -> dict[str, int]:
    """One query, on the index of unfinished runs."""
    return dict(Run.objects.unsettled().values_list("status").annotate(Count("pk")).order_by())


_unsettled = Bounded(_runs_by_status)
