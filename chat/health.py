"""The answers to "is it well?" and "may people come?" for whatever watches the server: a status and one word.

They look at what every page needs, the database and its migrations; a failing provider or model is not their business.
"""

from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from chat import relay
from chat.bounded import Bounded
from chat.runs import supervisor


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 where the database can be read and holds every migration of this version, else 503."""
    return _plain("ok" if _database_in_order() else "unwell", well=("ok",))


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 where people can be sent here, 503 where a proxy should send them elsewhere: before the engine runs,
    while the process drains, without the database. Without Redis sockets and runs go on, so that it says "degraded",
    with 200: all processes are, and none would be left."""
    return _plain(_readiness(), well=("ready", "degraded"))


def _plain(word: str, well: tuple[str, ...]) -> HttpResponse:
    return HttpResponse(f"{word}\n", content_type="text/plain", status=200 if word in well else 503)


def _readiness() -> str:
    engine = supervisor.engine()
    if engine is None:
        return "starting"
    if not engine.accepting:
        return "draining"
    if not _database_in_order():
        return "unwell"
    return "degraded" if relay.is_away() else "ready"


def _database_in_order() -> bool:
    try:
        return _migrations_of_this_version() <= _applied.answer()
    except (DatabaseError, TimeoutError):
        return False


def _applied_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationRecorder(connection).applied_migrations())


_applied = Bounded(_applied_migrations)


@cache
def _migrations_of_this_version() -> frozenset[tuple[str, str]]:
    """Read once: the files of a running process do not count when they change."""
    return frozenset(MigrationLoader(None).disk_migrations or ())
