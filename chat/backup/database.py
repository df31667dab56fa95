"""Reads all tables as they are at one moment while others write, and makes a database of a backup, whole or not at all.

Rows are told by the names of their columns, as values that every database takes. A database is filled as it was, with
the tables of the migrations that the backup names, and then brought up to date like any other. The index of search is
built anew.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.graph import MigrationGraph
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.sql import InsertQuery
from django.utils import timezone

from chat.audit import guard
from chat.backup.contents import ROWS_AT_A_TIME, Rows
from chat.conversations.search import index
from chat.runs.models import STALE_AFTER, Process


@contextmanager
def one_moment() -> Iterator[None]:
    """All that is read inside is of one moment; nobody who writes is kept waiting."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # Django's own transactions take the write lock; one that only reads under WAL needs none.
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def tables() -> Iterator[tuple[str, list[str], Iterator[tuple[Any, ...]]]]:
    """Every table with its columns and its rows."""
    for model in apps.get_models(include_auto_created=True):
        fields = model._meta.local_concrete_fields
        rows = model._base_manager.order_by("pk").values_list(*(field.attname for field in fields))
        yield (
            model._meta.db_table,
            [column for field in fields if (column := field.column)],
            rows.iterator(ROWS_AT_A_TIME),
        )


def applied_migrations() -> list[list[str]]:
    """What the tables are of. A record of something that is no part of the playground any more says nothing of them."""
    known = MigrationExecutor(connection).loader.graph.nodes
    return sorted(
        [app, name] for app, name in MigrationRecorder(connection).applied_migrations() if (app, name) in known
    )


def is_served() -> bool:
    """Whether a process that serves this database was alive a moment ago."""
    alive = Process.objects.filter(heartbeat_at__gt=timezone.now() - STALE_AFTER)
    return Process._meta.db_table in connection.introspection.table_names() and alive.exists()


def holds_anything() -> bool:
    return bool(connection.introspection.table_names())


def unknown_migrations(migrations: list[list[str]]) -> set[tuple[str, str]]:
    """Those that this version of the playground does not have."""
    return {(app, name) for app, name in migrations} - set(MigrationExecutor(connection).loader.graph.nodes)


@contextmanager
def replaced() -> Iterator[None]:
    """What is done inside is done to an empty database, which takes the place of the present one if it ends well."""
    with _replaced_file() if connection.vendor == "sqlite" else _replaced_tables():
        yield


@contextmanager
def _replaced_file() -> Iterator[None]:
    place = Path(str(connection.settings_dict["NAME"]))
    fresh = place.with_name(f"{place.name}.restoring")
    connection.close()
    _remove_database(fresh)
    connection.settings_dict["NAME"] = fresh
    try:
        yield
        connection.close()
        _settle_journal(fresh)
        if place.exists():
            _settle_journal(place)
        os.replace(fresh, place)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = place
        _remove_database(fresh)


def _settle_journal(path: Path) -> None:
    """Bring a database into its one file: a journal left beside another database would be taken for its own."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=DELETE")


def _remove_database(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


@contextmanager
def _replaced_tables() -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names():
                cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(table)} CASCADE")
        yield


class Filling:
    """Makes the tables of some migrations in an empty database, and takes rows."""

    def __init__(self, migrations: list[list[str]]) -> None:
        executor = MigrationExecutor(connection)
        wanted = {(app, name) for app, name in migrations}
        graph = executor.loader.graph
        last = [key for key in wanted if not any(child in wanted for child in _next_of_its_app(graph, key))]
        executor.migrate(last)
        index.remove(connection)
        guard.remove(connection)
        state = MigrationExecutor(connection).loader.project_state(last)
        self._models = {model._meta.db_table: model for model in state.apps.get_models(include_auto_created=True)}
        for model in self._models.values():
            model._base_manager.all()._raw_delete(connection.alias)
        if connection.vendor == "postgresql":
            # Migrations leave them to be checked at once; rows come before those that they refer to.
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")

    def insert(self, part: Rows) -> None:
        """Store rows exactly as they are."""
        model = self._models[part.table]
        by_column = {field.column: field for field in model._meta.local_concrete_fields}
        fields = [by_column[column] for column in part.columns]
        objects = [model(**_read(fields, row)) for row in part.rows]
        size = max(1, connection.ops.bulk_batch_size(fields, objects))
        for start in range(0, len(objects), size):
            query = InsertQuery(model)
            # Raw: nothing is filled in for the moment of saving.
            query.insert_values(fields, objects[start : start + size], raw=True)
            query.get_compiler(connection=connection).execute_sql()

    def check(self) -> None:
        """See that everything that refers to something finds it."""
        connection.check_constraints()

    def finish(self) -> None:
        """Go on numbering after the highest, and bring everything up to date."""
        reset = connection.ops.sequence_reset_sql(no_style(), list(self._models.values()))
        with connection.cursor() as cursor:
            for statement in reset:
                cursor.execute(statement)
        call_command("migrate", interactive=False, verbosity=0)
        index.build(connection)
        guard.mend(connection)


def _next_of_its_app(graph: MigrationGraph, key: tuple[str, str]) -> list[tuple[str, str]]:
    children = (child.key for child in graph.node_map[key].children)
    return [child for child in children if child[0] == key[0]]


def _read(fields: list[models.Field[Any, Any]], row: list[Any]) -> dict[str, Any]:
    pairs = zip(fields, row, strict=True)
    return {field.attname: value if value is None else field.to_python(value) for field, value in pairs}
