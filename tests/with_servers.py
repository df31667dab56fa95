"""Runs a command with PostgreSQL and Redis: those at their usual ports, else some of its own, which end with it.

    python -m tests.with_servers make test

It owns what ``DATABASE_URL`` and ``REDIS_URL`` say to the command. What is set already stays as it is.
"""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress

import psycopg

from tests.postgres_process import PostgresProcess
from tests.redis_process import RedisProcess

POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"
REDIS = ("127.0.0.1", 6379)


def database_url(stack: ExitStack) -> str:
    """An address whose database need not exist: the tests make some of similar names."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=5).close()
        server = POSTGRES
    except psycopg.OperationalError:
        server = stack.enter_context(PostgresProcess()).url
    return f"{server.rpartition('/')[0]}/playground{os.getpid()}"


def redis_url(stack: ExitStack) -> str:
    with suppress(OSError), socket.create_connection(REDIS, timeout=5) as probe:
        probe.sendall(b"PING\r\n")
        if probe.recv(5) == b"+PONG":
            return f"redis://{REDIS[0]}:{REDIS[1]}/0"
    return stack.enter_context(RedisProcess()).url


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with ExitStack() as stack:
        chosen = {
            "DATABASE_URL": os.environ.get("DATABASE_URL") or database_url(stack),
            "REDIS_URL": os.environ.get("REDIS_URL") or redis_url(stack),
        }
        return subprocess.run(command, env={**os.environ, **chosen}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
