"""A database of the first version, with data in it, is brought up to date: nothing is lost and all of it is found.

Everything runs in processes of its own, as an upgrade does: the data are made by that version's migrations, then
today's ``manage.py serve`` takes over.
"""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.playground_process import PlaygroundProcess

CHAT = re.compile(r'href="(/c/[^"#?]+/)')


@pytest.fixture
def earlier(tmp_path: Path) -> PlaygroundProcess:
    """A playground whose data are of the first version; it has not been started."""
    playground = PlaygroundProcess(tmp_path)
    playground.run("from tests.first_version import fill; fill()")
    return playground


def test_everything_of_the_first_version_is_there_and_found(earlier: PlaygroundProcess) -> None:
    with earlier, earlier.signed_in() as anna:
        wait_until_interrupted(earlier)
        facts = json.loads(earlier.run("from tests.first_version import read; read()"))
        page = anna.get(CHAT.findall(anna.get("/search/?q=moon").text)[0]).text

    question, answer, half = "Why is the Ozean moving?", "Because the moon pulls.", "Because half of it"
    assert facts == {
        "chat": ["anna", "About tides"],
        "messages": [question, answer, question, half, "The sun."],
        "heads": [answer, half],
        "statuses": ["done", "interrupted"],
        "cost": "0.00012345",
        "key": "secret_ab12",
        "usage": 5,
        "sums": [["m0", "personal:1", 1, 7, 0], ["m1", "", 1, 3, 0], ["m2", "", 3, 0, 300_000_010]],
        "first day": "2020-01-01",
        "waits": [["m0", 73, 1]],
        "chunks": 0,
        "found": {"tides": 1, "ozean": 1, "moon": 1, "sun": 1, "half": 1, "nothing": 0},
    }
    assert "<p>Because the moon pulls.</p>" in page


@pytest.mark.sqlite
def test_earlier_database_is_copied_aside_before_anything_changes(earlier: PlaygroundProcess, tmp_path: Path) -> None:
    with earlier:
        said = earlier.said()

    [copy] = (tmp_path / "copies").iterdir()
    assert f"Copied the database to {copy} before changing it." in said
    with closing(sqlite3.connect(copy)) as database:
        applied = database.execute("SELECT name FROM django_migrations WHERE app = 'chat'").fetchall()
        assert applied == [("0001_initial",)]
        assert database.execute("SELECT count(*) FROM chat_message").fetchone() == (5,)


def wait_until_interrupted(playground: PlaygroundProcess) -> None:
    """The reaper finds the answer that nobody writes any more."""
    interrupted = "from chat.models import Run; print(Run.objects.filter(status='interrupted').count())"
    assert any(playground.run(interrupted) == "1" for _ in range(20))
