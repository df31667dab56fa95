"""The answer to "is it well?" for whatever watches the server: a status code and one word, no details.

It looks at what every page needs, the database and its migrations; a failing provider or model is not its business.
"""

from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 where the database can be read and holds every migration of this version, else 503."""
    well = _database_in_order()
    return HttpResponse("ok\n" if well else "unwell\n", content_type="text/plain", status=200 if well else 503)


def _database_in_order() -> bool:
    try:
        return _migrations_of_this_version() <= MigrationRecorder(connection).applied_migrations().keys()
    except DatabaseError:
        return False


@cache
def _migrations_of_this_version() -> frozenset[tuple[str, str]]:
    """Read once: the files of a running process do not count when they change."""
    return frozenset(MigrationLoader(None).disk_migrations or ())
