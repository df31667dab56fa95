"""200 answers on four processes with PostgreSQL and Redis, each watched in another process than writes it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
from psycopg import sql

from bench import processes, rounds
from bench.report import Figure, percentile
from bench.rounds import Round
from bench.streams import MANY, MANY_TURNS, WARM_UP
from tests.playground_process import PlaygroundProcess

PROCESSES = 4
POSTGRESQL = "postgres://postgres@127.0.0.1:5432"
REDIS = "redis://127.0.0.1:6379/0"


def measure() -> list[Figure]:
    with processes.upstream() as url:
        one_turns, one = _rounds(url, 1)
        turns, several = _rounds(url, PROCESSES)
    per_thousand, of_one = several.cpu_per_thousand_tokens(turns), one.cpu_per_thousand_tokens(one_turns)
    latencies = [latency * 1000 for latency in several.latencies]
    waits = [wait * 1000 for wait in several.waits]
    return [
        Figure("4 processes", "tokens lost", several.lost, at_most=0),
        Figure("4 processes", "tokens doubled", several.doubled, at_most=0),
        Figure("4 processes", "first token added, p50", percentile(waits, 0.5), "ms"),
        Figure("4 processes", "latency added, p50", percentile(latencies, 0.5), "ms"),
        Figure("4 processes", "latency added, p99", percentile(latencies, 0.99), "ms"),
        Figure("4 processes", "CPU per 1,000 tokens", per_thousand, "s"),
        Figure("4 processes", "CPU beside one process", per_thousand / of_one, "x", 2),
    ]


def _rounds(url: str, count: int) -> list[Round]:
    """Turns alone, then whole answers, on so many processes of one installation."""
    with _playground(count) as servers:
        return [rounds.on(servers, url, load) for load in (WARM_UP, MANY_TURNS, MANY)][1:]


@contextmanager
def _playground(count: int) -> Iterator[list[PlaygroundProcess]]:
    with TemporaryDirectory(prefix="playground-bench-") as folder, ExitStack() as ends:
        environment = {"MAX_ACTIVE_RUNS": "10000", "MAX_SOCKETS": "10000"}
        if count > 1:
            environment |= {"DATABASE_URL": ends.enter_context(_database()), "REDIS_URL": REDIS}
        yield [ends.enter_context(PlaygroundProcess(Path(folder), **environment)) for _ in range(count)]


@contextmanager
def _database() -> Iterator[str]:
    """A database of its own on this machine's PostgreSQL."""
    name = f"playground_bench_{uuid4().hex[:12]}"
    with psycopg.connect(f"{POSTGRESQL}/postgres", autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield f"{POSTGRESQL}/{name}"
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
