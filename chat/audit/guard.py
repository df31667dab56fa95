"""Triggers with which the database itself keeps the audit log from being changed, whoever asks: SQL by hand as well.

On PostgreSQL they fire for whole statements, so that TRUNCATE is refused too, and in sessions that replay changes. On
SQLite they fire for rows; replacing a row by inserting it again is refused apart. SQLite loses a table's triggers when
a migration makes the table anew, so they are made again after each (``chat.apps`` connects that).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "chat_auditentry"
REFUSAL = "The audit log is append-only."

_REFUSE = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
_SQLITE = {
    "chat_audit_changed": f"BEFORE UPDATE ON {TABLE} {_REFUSE}",
    "chat_audit_removed": f"BEFORE DELETE ON {TABLE} {_REFUSE}",
    # INSERT OR REPLACE removes a row without asking the trigger above.
    "chat_audit_replaced": f"""BEFORE INSERT ON {TABLE}
WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE id = NEW.id) {_REFUSE}""",
}
_POSTGRESQL = "chat_audit_refuse"
_MAKE = {
    "sqlite": tuple(f"CREATE TRIGGER IF NOT EXISTS {name} {body}" for name, body in _SQLITE.items()),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION {_POSTGRESQL}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$""",
        f"""CREATE OR REPLACE TRIGGER {_POSTGRESQL} BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE}
FOR EACH STATEMENT EXECUTE FUNCTION {_POSTGRESQL}()""",
        f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {_POSTGRESQL}",
    ),
}
_REMOVE = {
    "sqlite": tuple(f"DROP TRIGGER IF EXISTS {name}" for name in _SQLITE),
    "postgresql": (f"DROP TRIGGER IF EXISTS {_POSTGRESQL} ON {TABLE}", f"DROP FUNCTION IF EXISTS {_POSTGRESQL}()"),
}
_THERE = {
    "sqlite": ("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", set(_SQLITE)),
    "postgresql": (
        "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(%s) AND tgenabled = 'A'",
        {_POSTGRESQL},
    ),
}


def make(connection: BaseDatabaseWrapper) -> None:
    """Refuse changes from now on."""
    _execute(connection, _MAKE[connection.vendor])


def remove(connection: BaseDatabaseWrapper) -> None:
    """Refuse none; for a database that is being made, and for what undoes the migration."""
    _execute(connection, _REMOVE[connection.vendor])


def is_there(connection: BaseDatabaseWrapper) -> bool:
    """Whether changes are refused."""
    statement, names = _THERE[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(statement, [TABLE])
        return names <= {name for (name,) in cursor.fetchall()}


def mend(connection: BaseDatabaseWrapper) -> bool:
    """Make the triggers if they are not there; True where that was so."""
    if is_there(connection):
        return False
    with transaction.atomic(using=connection.alias):
        make(connection)
    return True


@contextmanager
def lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Refuse nothing inside: for tests, whose rows go after each."""
    remove(connection)
    try:
        yield
    finally:
        make(connection)


def make_again(using: str, **kwargs: Any) -> None:
    """After migrations."""
    connection = connections[using]
    if kwargs.get("plan") and TABLE in connection.introspection.table_names():
        make(connection)


def _execute(connection: BaseDatabaseWrapper, statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
