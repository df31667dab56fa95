"""What monitors see: 200 or 503, one word, and nothing else."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from chat.runs import supervisor
from tests.conversations.conftest import endpoint, engine, fake_provider
from tests.unreachable import unreachable_database

__all__ = ["endpoint", "engine", "fake_provider", "unreachable_database"]
pytestmark = pytest.mark.django_db(transaction=True)


def said(path: str) -> tuple[int, str]:
    answer = Client().get(path)
    assert "no-store" in answer["Cache-Control"] and not answer.cookies
    return answer.status_code, answer.content.decode()


@pytest.fixture
def missing_migration() -> Any:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("chat", "0001_initial")
    yield
    recorder.record_applied("chat", "0001_initial")


def test_stranger_sees_that_all_is_well() -> None:
    assert said("/healthz") == (200, "ok\n")


def test_missing_migration_is_unwell(missing_migration: None) -> None:
    assert said("/healthz") == (503, "unwell\n")


def test_database_that_cannot_be_reached_is_unwell(unreachable_database: None) -> None:
    assert said("/healthz") == (503, "unwell\n")


@pytest.mark.postgres
def test_a_database_that_hangs_is_asked_once_however_many_want_to_know() -> None:
    other = connection.copy()
    other.set_autocommit(False)
    with closing(other), ThreadPoolExecutor(4) as monitors:
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        answers = list(monitors.map(said, ["/healthz"] * 4))
        with connection.cursor() as cursor:
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'relation'"
            )
            cursor.execute(waiting)
            [asked] = cursor.fetchone() or [None]

    assert answers == [(503, "unwell\n")] * 4
    assert asked == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_other_methods_are_refused(path: str) -> None:
    assert Client().post(path).status_code == 405


def test_nobody_is_sent_to_a_process_that_only_starts() -> None:
    assert said("/readyz") == (503, "starting\n")


async def test_a_process_whose_engine_runs_is_ready(engine: None, settings: Any) -> None:
    assert await asked("/readyz") == (200, "ready\n")


async def test_a_process_that_drains_is_not(engine: None) -> None:
    await supervisor.drain(0)

    assert await asked("/readyz") == (503, "draining\n")


async def test_a_process_without_its_database_is_not(engine: None, unreachable_database: None) -> None:
    assert await asked("/readyz") == (503, "unwell\n")


async def asked(path: str) -> tuple[int, str]:
    return await asyncio.to_thread(said, path)
