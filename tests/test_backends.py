"""The tests run on the servers that the environment names, and leave out what is about others."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from tests import backends

ABOUT_ONE = "tests/test_settings.py::test_sqlite_waits_for_writers_and_checks_references"


def collected(**environment: str) -> str:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", ABOUT_ONE]
    variables = {"PATH": os.environ["PATH"], **environment}
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=variables, capture_output=True, text=True, check=False)
    return done.stdout


def test_a_test_about_one_database_is_left_out_on_another() -> None:
    assert ABOUT_ONE in collected()
    assert "1 deselected" in collected(DATABASE_URL="postgres://127.0.0.1:9/nowhere")


def test_the_database_is_the_one_that_the_environment_names() -> None:
    assert connection.vendor == ("postgresql" if backends.KINDS["postgres"] else "sqlite")


@pytest.mark.postgres
def test_a_served_process_has_a_database_to_itself_until_the_tests_end(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "_databases", {})
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")

    addresses = {backends.environment_for(place)["DATABASE_URL"] for place in (one, other, one)}

    assert len(addresses) == 2
    for address in addresses:
        psycopg.connect(address).close()
    backends.clear_up()
    for address in addresses:
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(address)
