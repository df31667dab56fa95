"""What monitors see: 200 or 503, and nothing else."""

import pytest
from django.db import connection
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


def test_database_that_cannot_be_read_is_unwell(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {**connection.settings_dict, "NAME": "/nowhere/database.sqlite3"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chat.health.connection", type(connection)(broken, alias="broken"))
        response = client.get("/healthz")

    assert response.status_code == 503


@pytest.mark.django_db
def test_other_methods_are_refused(client: Client) -> None:
    assert client.post("/healthz").status_code == 405
