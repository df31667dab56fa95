"""What was written reaches the database file beside the writers, not in front of those who wait for one of them."""

from pathlib import Path

import pytest
from django.db import connection

from chat.runs import journal
from chat.runs.models import Process
from tests.factories import make_user

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite]


def database_file() -> bytes:
    """All but the write-ahead log."""
    return Path(connection.settings_dict["NAME"]).read_bytes()


def test_the_log_is_emptied_with_each_beat() -> None:
    process = Process.objects.create(host="here", pid=1)
    make_user("quetzalcoatl")
    assert b"quetzalcoatl" not in database_file()

    journal._beat(process.pk)

    assert b"quetzalcoatl" in database_file()
