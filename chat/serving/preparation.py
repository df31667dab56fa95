"""Brings the data directory in order before serving: database copy, migrations, index of search, static files, the
first administrator, the built-in endpoints.

Every step is safe to repeat and cheap when there is nothing to do. What cannot be done is raised as a ``CommandError``
of one sentence. Listening is not its business, apart from finding out early that the port is taken.
"""

import errno
import hashlib
import importlib.metadata
import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from chat.accounts.models import User
from chat.audit import guard
from chat.catalogue.actions import ensure_endpoints
from chat.conversations.search import index
from chat.usage.metering import count_late

COPIES_KEPT = 5
# Any number that nothing else on the database locks.
PREPARATION_LOCK = 7_420_001
FULL = {errno.ENOSPC, errno.EDQUOT}

Say = Callable[[str], object]


def prepare(say: Say) -> None:
    """Do all steps in order; ``say`` is told about those that take time."""
    with one_sentence(), in_turn():
        if pending_migrations():
            if copy := copy_database_aside(datetime.now(UTC)):
                say(f"Copied the database to {copy} before changing it.")
            say("Bringing the database up to date…")
            call_command("migrate", interactive=False, verbosity=0)
        if index.mend(connection):
            say("Built the index of search anew: something had stopped keeping it.")
        if guard.mend(connection):
            say("The audit log could be changed: something had removed its triggers. They are back.")
        if late := count_late():
            say(f"Counted the use of {late} answers that an earlier version has stored since.")
        if static_files_changed():
            say("Compressing static files…")
            collect_static_files()
        ensure_administrator()
        ensure_endpoints()


def check_port(host: str, port: int) -> None:
    """Raise ``CommandError`` if nobody could listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise CommandError(f"HOST={host} is not an address of this machine.") from error
    except OSError as error:
        raise CommandError(_why_not_listen(error, host, port)) from error


def pending_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def copy_database_aside(now: datetime) -> Path | None:
    """Copy a SQLite database that holds something, whole and consistent, and drop the oldest copies."""
    source = Path(str(connection.settings_dict["NAME"]))
    if connection.vendor != "sqlite" or not source.exists() or not connection.introspection.table_names():
        return None
    folder = settings.DATA_DIR / "copies"
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{source.stem}-{now:%Y%m%dT%H%M%S}.sqlite3"
    unfinished = target.with_suffix(".part")
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(unfinished)) as copy:
        original.backup(copy)
    unfinished.replace(target)
    for old in sorted(folder.glob("*.sqlite3"))[:-COPIES_KEPT]:
        old.unlink()
    return target


def static_files_changed() -> bool:
    return not _mark().exists() or _mark().read_text(encoding="ascii") != static_fingerprint()


def collect_static_files() -> None:
    """Collect afresh; the mark goes first and comes last, so that an interrupted collection is repeated."""
    _mark().unlink(missing_ok=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    _mark().write_text(static_fingerprint(), encoding="ascii")


def static_fingerprint() -> str:
    """Return a digest that changes with any static file, or with what compresses them."""
    digest = hashlib.sha256()
    for name in ("django", "servestatic"):
        digest.update(importlib.metadata.version(name).encode())
    for path in sorted(_static_sources()):
        facts = path.stat()
        digest.update(f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def ensure_administrator() -> None:
    """Make the first account, without a password: it is entered by a one-time link."""
    if not User.objects.exists():
        User.objects.create_superuser(username="admin")


@contextmanager
def in_turn() -> Iterator[None]:
    """Let processes that start together on one PostgreSQL database prepare it one after the other.

    A transaction of its own holds the lock, so that it ends with the process, and goes through a pooler as well.
    """
    if connection.vendor != "postgresql":
        yield
        return
    lock = connection.copy()
    try:
        lock.set_autocommit(False)
        with lock.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PREPARATION_LOCK])
        yield
    finally:
        lock.close()


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn what people can run into, a full disk above all, into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise CommandError(_full()) from error
        raise CommandError(f"Cannot use {error.filename or settings.DATA_DIR}: {error.strerror}.") from error
    except (OperationalError, sqlite3.OperationalError) as error:
        if "full" in str(error):
            raise CommandError(_full()) from error
        raise CommandError(f"The database cannot be used: {str(error).strip()}.") from error


def _full() -> str:
    return f"The disk is full: free some space where {settings.DATA_DIR} is, then start again."


def _static_sources() -> Iterator[Path]:
    yield settings.BASE_DIR / "playground" / "storage.py"
    for finder in get_finders():
        for name, storage in finder.list([]):
            yield Path(storage.path(name))


def _mark() -> Path:
    return Path(settings.DATA_DIR / "static.collected")


def _why_not_listen(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program: stop that one, or set PORT to a free port."
    if error.errno == errno.EACCES:
        return f"This user may not listen on port {port}: set PORT to 1024 or more."
    return f"Cannot listen on HOST={host} PORT={port}: {error.strerror}."
