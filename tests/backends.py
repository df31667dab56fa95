"""The servers that the tests run on: what ``DATABASE_URL`` and ``REDIS_URL`` name, else SQLite and memory.

It owns which tests fit them (a marker of the same name on the others) and makes room on them for served processes:
a database for each data directory, dropped when the tests end. In Redis each installation keeps to names of its own.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql

DATABASE_URL = os.environ.get("DATABASE_URL", "")
REDIS_URL = os.environ.get("REDIS_URL", "")
# What a test can be marked with that makes sense on one kind of server only.
KINDS = {"sqlite": not DATABASE_URL, "postgres": bool(DATABASE_URL), "memory": not REDIS_URL, "redis": bool(REDIS_URL)}

_databases: dict[Path, str] = {}


def environment_for(data_dir: Path) -> dict[str, str]:
    """What a served process with this data directory is told: its own place on the servers of the tests."""
    environment = {"REDIS_URL": REDIS_URL}
    if not DATABASE_URL:
        return environment
    if data_dir not in _databases:
        name = f"test_{urlsplit(DATABASE_URL).path.lstrip('/')}_{uuid4().hex[:12]}"
        _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        _databases[data_dir] = name
    return {**environment, "DATABASE_URL": _named(_databases[data_dir])}


def end_sessions(name: str) -> None:
    """Close all connections to a database of the tests."""
    if DATABASE_URL:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}"
        _administer(sql.SQL(others).format(sql.Literal(name)))


def clear_up() -> None:
    """Drop what was made, whoever is still connected."""
    while _databases:
        _, name = _databases.popitem()
        _administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _administer(statement: sql.Composed) -> None:
    with psycopg.connect(_named("postgres"), autocommit=True) as connection:
        connection.execute(statement)


def _named(name: str) -> str:
    return urlsplit(DATABASE_URL)._replace(path=f"/{name}").geturl()
