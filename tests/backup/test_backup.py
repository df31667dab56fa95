"""Backups of a whole playground, made and restored by the commands, on and between both databases."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from chat.backup.contents import Head, writing
from tests.first_version import FIRST
from tests.playground_process import PlaygroundProcess

PASSPHRASE = "correct horse"
OTHER_KEY = base64.b64encode(b"k" * 32).decode()
# Whatever the tests run on: this one is on SQLite.
SQLITE = {"DATABASE_URL": ""}


def manage(place: PlaygroundProcess, *words: str | Path, **environment: str) -> tuple[int, str]:
    """Run a command in the environment of a playground; return its exit code and what it said."""
    command = [sys.executable, "manage.py", *map(str, words)]
    env = {**place.environment, "BACKUP_PASSPHRASE": PASSPHRASE, **environment}
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def place(folder: Path, **environment: str) -> PlaygroundProcess:
    folder.mkdir()
    return PlaygroundProcess(folder, **environment)


def filled(folder: Path, **environment: str) -> PlaygroundProcess:
    """A playground with a chat, a key and an upload in it; nobody serves it."""
    made = place(folder, **environment)
    made.run("from tests.first_version import fill; fill()")
    manage(made, "migrate")
    (folder / "uploads" / "a").mkdir(parents=True)
    (folder / "uploads" / "a" / "x.bin").write_bytes(bytes(range(256)) * 2_000)
    return made


def facts(of: PlaygroundProcess) -> Any:
    return json.loads(of.run("from tests.first_version import read; read()"))


@pytest.fixture
def source(tmp_path: Path) -> PlaygroundProcess:
    return filled(tmp_path / "source")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "all.backup"


def test_everything_comes_back_elsewhere(source: PlaygroundProcess, tmp_path: Path, file: Path) -> None:
    other = place(tmp_path / "other")

    backed_up, restored = manage(source, "backup", file), manage(other, "restore", file)

    assert (backed_up[0], restored[0]) == (0, 0), restored[1]
    assert file.stat().st_mode & 0o777 == 0o600
    assert facts(other) == facts(source)
    for name in ("secret_key", "encryption_key", "uploads/a/x.bin"):
        assert (other.data_dir / name).read_bytes() == (source.data_dir / name).read_bytes()
    assert not [path for path in other.data_dir.rglob("*") if path.stat().st_mode & 0o077]
    other.run("from chat.models import User; User.objects.create(username='new')")


def test_nobody_is_signed_in_by_what_a_backup_brings_back(
    source: PlaygroundProcess, tmp_path: Path, file: Path
) -> None:
    """A session may have been ended, and a link used, since it was made."""
    source.run("from bench.seed import person, session_of; session_of(person('anna'))")
    manage(source, "signin_link", "anna")
    other = place(tmp_path / "other")

    manage(source, "backup", file)
    manage(other, "restore", file)

    counted = (
        "from django.contrib.sessions.models import Session as S; from chat.accounts.models import SignInLink as L"
    )
    assert source.run(f"{counted}; print(S.objects.exists(), L.objects.filter(used_at=None).exists())") == "True True"
    assert other.run(f"{counted}; print(S.objects.exists(), L.objects.filter(used_at=None).exists())") == "False False"


@pytest.mark.postgres
@pytest.mark.parametrize("environments", [(SQLITE, {}), ({}, SQLITE)], ids=["to PostgreSQL", "to SQLite"])
def test_backup_of_one_database_is_restored_to_the_other(
    tmp_path: Path, file: Path, environments: tuple[dict[str, str], dict[str, str]]
) -> None:
    source, other = filled(tmp_path / "source", **environments[0]), place(tmp_path / "other", **environments[1])

    manage(source, "backup", file)
    code, said = manage(other, "restore", file)

    assert code == 0, said
    assert facts(other) == facts(source)
    other.run("from chat.models import User; User.objects.create(username='new')")


def test_encryption_keys_of_the_environment_win(source: PlaygroundProcess, tmp_path: Path, file: Path) -> None:
    other = place(tmp_path / "other", ENCRYPTION_KEYS=OTHER_KEY)

    manage(source, "backup", file)
    _, said = manage(other, "restore", file)

    assert "ENCRYPTION_KEYS is set in the environment, which wins over the backup's." in said
    assert facts(other)["key"] == "secret_ab12"


def test_backup_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path, file: Path, db: None) -> None:
    loader = MigrationExecutor(connection).loader
    person = loader.project_state(FIRST).apps.get_model("chat", "User")(pk=7, username="anna", password="!")
    columns = [field.column for field in person._meta.local_concrete_fields]
    row = [getattr(person, field.attname) for field in person._meta.local_concrete_fields]
    plan = [list(key) for key in loader.graph.forwards_plan(FIRST)]
    with file.open("wb") as stream, writing(stream, PASSPHRASE) as writer:
        writer.head(Head(plan, "2026-01-01T00:00", "0123456789" * 5, [OTHER_KEY]))
        writer.table("chat_user", columns, [row])
    other = place(tmp_path / "other")

    code, said = manage(other, "restore", file)

    assert code == 0, said
    assert manage(other, "migrate", "--check")[0] == 0
    assert other.run("from chat.models import User; print(User.objects.get(username='anna').pk)") == "7"


def test_playground_is_backed_up_while_it_serves_and_not_restored(
    source: PlaygroundProcess, tmp_path: Path, file: Path
) -> None:
    with source:
        backed_up = manage(source, "backup", file)
        restored = manage(source, "restore", "--force", file)

    assert backed_up[0] == 0
    assert restored[0] != 0
    assert "Nothing was changed. The playground is running: stop it first" in restored[1]


def test_what_cannot_be_restored_changes_nothing(source: PlaygroundProcess, tmp_path: Path, file: Path) -> None:
    manage(source, "backup", file)
    cut, newer = tmp_path / "cut.backup", tmp_path / "newer.backup"
    cut.write_bytes(file.read_bytes()[:-100])
    with newer.open("wb") as stream, writing(stream, PASSPHRASE) as writer:
        writer.head(Head([["chat", "9999_from_the_future"]], "2026-01-01T00:00", "0123456789" * 5, [OTHER_KEY]))
    before = facts(source)

    refusals = [
        manage(source, "restore", file),
        manage(source, "restore", "--force", file, BACKUP_PASSPHRASE="correct house"),
        manage(source, "restore", "--force", cut),
        manage(source, "restore", "--force", newer),
        manage(source, "restore", "--force", settings.BASE_DIR / "manage.py"),
        manage(source, "restore", "--force", tmp_path / "none"),
        manage(source, "restore", "--force", file, BACKUP_PASSPHRASE=""),
        manage(source, "backup", file),
        manage(source, "backup", tmp_path / "new.backup", BACKUP_PASSPHRASE="short"),
        manage(source, "backup", tmp_path / "nowhere" / "new.backup"),
    ]

    assert [code for code, _ in refusals] == [1] * len(refusals)
    assert [
        said.strip().splitlines()[-1].removeprefix("CommandError: ").split(": No")[0][:60] for _, said in refusals
    ] == [
        "Nothing was changed. There is a database already: --force pu",
        "Nothing was changed. The passphrase is wrong, or the file is",
        "Nothing was changed. The passphrase is wrong, or the file is",
        "Nothing was changed. This backup was made by a newer version",
        "Nothing was changed. This is not a backup of a playground, o",
        f"Cannot use {tmp_path / 'none'}"[:60],
        "A passphrase is needed: set BACKUP_PASSPHRASE, or name a fil",
        f"{file} exists already: choose another name, or move it away."[:60],
        "The passphrase must have at least 8 characters: it protects ",
        f"Cannot use {tmp_path / 'nowhere'}"[:60],
    ]
    assert facts(source) == before


def test_passphrase_in_a_file_is_read(source: PlaygroundProcess, tmp_path: Path, file: Path) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text(f"{PASSPHRASE}\n")

    code, said = manage(source, "backup", "--passphrase-file", secret, file, BACKUP_PASSPHRASE="")

    assert code == 0, said
    assert PASSPHRASE not in said
