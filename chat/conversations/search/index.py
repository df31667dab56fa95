"""The index of what people and models wrote and of the titles of chats: FTS5 on SQLite, ``tsvector`` on PostgreSQL.

The database keeps it by itself, with triggers, whoever writes: a question when it is stored, an answer when it is
settled. What was deleted with undo stays in it and is left out when it is read. It holds nothing that is not elsewhere:
``build`` makes it anew from the rows.

SQLite changes a table by making another one in its place, which loses triggers and stumbles over those that name it.
So they are put away there while migrations run (``chat.apps`` connects that). A process that is killed meanwhile leaves
them away: ``mend`` is called before serving.
"""

from collections.abc import Collection, Iterable
from types import ModuleType
from typing import Any
from uuid import UUID

from django.db import connection as default_connection
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from chat.conversations.search import postgresql, sqlite
from chat.conversations.search.words import Query

TABLE = "chat_message_search"


def build(connection: BaseDatabaseWrapper) -> None:
    """Make the index, empty or not, from what the tables hold, and have the database keep it."""
    vendor = _vendor(connection)
    _execute(connection, (*vendor.NO_TRIGGERS, *vendor.FUNCTIONS, *vendor.TABLES, *vendor.FILL, *vendor.MAKE_TRIGGERS))


def remove(connection: BaseDatabaseWrapper) -> None:
    vendor = _vendor(connection)
    _execute(connection, (*vendor.NO_TRIGGERS, *vendor.NO_TABLES))


def is_kept(connection: BaseDatabaseWrapper) -> bool:
    """Whether all triggers are there."""
    vendor = _vendor(connection)
    with connection.cursor() as cursor:
        cursor.execute(vendor.TRIGGERS_THERE)
        there = {name for (name,) in cursor.fetchall()}
    return all(name in there for name in vendor.TRIGGERS)


def mend(connection: BaseDatabaseWrapper) -> bool:
    """Build anew what is not kept: nobody knows since when. True where that was so."""
    if is_kept(connection):
        return False
    with transaction.atomic(using=connection.alias):
        build(connection)
    return True


def stop_keeping(using: str, **kwargs: Any) -> None:
    """Before migrations of SQLite. PostgreSQL changes tables in place, and others may be writing."""
    connection = connections[using]
    if kwargs.get("plan") and connection.vendor == "sqlite" and _exists(connection):
        _execute(connection, _vendor(connection).NO_TRIGGERS)


def go_on_keeping(using: str, **kwargs: Any) -> None:
    """After migrations. Those that write texts themselves call ``build``."""
    connection = connections[using]
    if kwargs.get("plan") and _exists(connection):
        _execute(connection, _vendor(connection).MAKE_TRIGGERS)


def prepare_connection(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if connection.vendor == "sqlite":
        sqlite.prepare_connection(connection)


def newest_messages(
    query: Query, owner: int, besides: Collection[UUID], enough: int, limit: int
) -> list[tuple[int, UUID]]:
    """Ids of the newest messages that a query finds and of their chats, except in the chats ``besides``.

    At most ``limit`` of them; where it is dear to find more, ``enough`` of them. Only messages in lanes and chats that
    are there; what stands below a deleted one is the caller's to leave out.
    """
    found: list[tuple[Any, ...]] = []
    for sql, parameters in _vendor(default_connection).messages(query, owner, besides, limit):
        found = _rows(sql, parameters)
        if len(found) >= enough:
            break
    chats = {chat: _uuid(chat) for chat in {chat for _, chat in found}}
    return [(pk, chats[chat]) for pk, chat in found]


def newest_titles(query: Query, owner: int, limit: int) -> list[UUID]:
    """Ids of the chats begun or named last whose title a query finds."""
    found = _rows(*_vendor(default_connection).titles(query, owner, limit))
    return [_uuid(pk) for (pk,) in found]


def _uuid(stored: UUID | str) -> UUID:
    """PostgreSQL has a type for them; SQLite keeps 32 characters."""
    return stored if isinstance(stored, UUID) else UUID(stored)


def _rows(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with default_connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def _vendor(connection: BaseDatabaseWrapper) -> ModuleType:
    return {"sqlite": sqlite, "postgresql": postgresql}[connection.vendor]


def _exists(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        return TABLE in connection.introspection.table_names(cursor)


def _execute(connection: BaseDatabaseWrapper, statements: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
