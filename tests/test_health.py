"""What monitors see: 200 or 503, and nothing else."""

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client


@pytest.mark.django_db
def test_stranger_sees_that_all_is_well(client: Client) -> None:
    response = client.get("/healthz")

    assert (response.status_code, response.content) == (200, b"ok\n")
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_missing_migration_is_unwell(client: Client) -> None:
    MigrationRecorder(connection).record_unapplied("chat", "0001_initial")

    response = client.get("/healthz")

    assert (response.status_code, response.content) == (503, b"unwell\n")


@pytest.mark.django_db
def test_database_that_cannot_be_read_is_unwell(client: Client) -> None:
    def refuse(*arguments: object) -> None:
        raise OperationalError("gone away from db.internal:5432")

    with connection.execute_wrapper(refuse):
        response = client.get("/healthz")

    assert (response.status_code, response.content) == (503, b"unwell\n")


@pytest.mark.django_db
def test_other_methods_are_refused(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
