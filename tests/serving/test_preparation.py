"""What happens before serving: copies, static files, the first account, and troubles told in one sentence."""

import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from django.contrib.staticfiles.storage import ManifestFilesMixin, staticfiles_storage
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import override_settings
from pytest_django import Settings

from chat.accounts.models import User
from chat.conversations.search import index
from chat.serving.preparation import (
    check_port,
    collect_static_files,
    copy_database_aside,
    ensure_administrator,
    one_sentence,
    pending_migrations,
    prepare,
    static_files_changed,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static"
    return tmp_path


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_copy_holds_what_was_written_and_not_yet_checkpointed(data_dir: Path) -> None:
    User.objects.create_user("alice")

    copy = copy_database_aside(NOON)

    assert copy and copy.parent == data_dir / "copies"
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("SELECT username FROM chat_user").fetchall() == [("alice",)]
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_last_five_copies_are_kept(data_dir: Path) -> None:
    made = [copy_database_aside(NOON + timedelta(hours=hour)) for hour in range(7)]

    assert sorted((data_dir / "copies").iterdir()) == made[2:]


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_database_is_copied_before_it_is_migrated_and_never_otherwise(data_dir: Path) -> None:
    said: list[str] = []
    prepare(said.append)
    call_command("migrate", "sessions", "zero", verbosity=0)

    assert not list(data_dir.glob("copies/*"))
    assert pending_migrations()

    prepare(said.append)

    assert len(list(data_dir.glob("copies/*"))) == 1
    assert not pending_migrations()
    assert any(words.startswith("Copied the database to") for words in said)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_index_of_search_is_mended_after_migrations_that_were_killed(data_dir: Path) -> None:
    prepare(str)
    index.stop_keeping("default", plan=["the last one"])
    said: list[str] = []

    prepare(said.append)

    assert index.is_kept(connection)
    assert any("index of search" in words for words in said)


def test_static_files_are_collected_once_and_again_after_a_change(
    data_dir: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = tmp_path_factory.mktemp("source")
    (source / "a.css").write_text("a { color: red }")
    settings.STATICFILES_DIRS = [source]
    assert static_files_changed()

    collect_static_files()
    assert not static_files_changed()

    (source / "a.css").write_text("a { color: green }")
    assert static_files_changed()


def test_interrupted_collection_is_repeated(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        raise KeyboardInterrupt

    collect_static_files()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("chat.serving.preparation.call_command", interrupted)
        collect_static_files()

    assert static_files_changed()


def stored(name: str) -> Path:
    """Return the collected file that stands behind a static file's name."""
    storage = cast(ManifestFilesMixin, staticfiles_storage)
    return Path(staticfiles_storage.path(storage.stored_name(name)))


def test_every_static_file_finds_what_it_refers_to(data_dir: Path) -> None:
    real = {"staticfiles": {"BACKEND": "playground.storage.StaticStorage"}}
    with override_settings(STORAGES=real, STATIC_ROOT=str(data_dir / "static")):
        call_command("collectstatic", interactive=False, verbosity=0)
        main = stored("js/main.js")

    assert main.name != "main.js"
    assert Path(f"{main}.br").exists()


def test_a_page_fetches_one_stylesheet(data_dir: Path) -> None:
    real = {"staticfiles": {"BACKEND": "playground.storage.StaticStorage"}}
    with override_settings(STORAGES=real, STATIC_ROOT=str(data_dir / "static")):
        call_command("collectstatic", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        sheet = stored("css/main.css").read_text()

    assert "@import" not in sheet
    assert "@layer components {" in sheet
    assert ".composer-text {" in sheet


@pytest.mark.django_db
def test_first_administrator_enters_by_link_alone() -> None:
    ensure_administrator()
    ensure_administrator()

    admin = User.objects.get()
    assert admin.is_superuser
    assert not admin.has_usable_password()


@pytest.mark.django_db
def test_no_administrator_is_made_where_somebody_is() -> None:
    User.objects.create_user("alice")

    ensure_administrator()

    assert not User.objects.filter(is_superuser=True).exists()


def test_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"^Port {port} is in use by another program"):
            check_port("127.0.0.1", port)


def test_address_of_another_machine_is_one_sentence() -> None:
    with pytest.raises(CommandError, match=r"^HOST=no\.such\.host is not an address"):
        check_port("no.such.host", 8000)


def test_full_disk_is_one_sentence() -> None:
    with pytest.raises(CommandError, match="^The disk is full"), one_sentence():
        Path("/dev/full").write_text("x")


def test_full_database_is_one_sentence() -> None:
    with closing(sqlite3.connect(":memory:")) as database, pytest.raises(CommandError, match="^The disk is full"):
        database.execute("PRAGMA max_page_count = 1")
        with one_sentence():
            database.execute("CREATE TABLE a (b)")


def test_database_that_cannot_be_used_is_one_sentence() -> None:
    with pytest.raises(CommandError, match="^The database cannot be used: connection refused"), one_sentence():
        raise OperationalError("connection refused\n")


def test_folder_that_cannot_be_written_is_one_sentence() -> None:
    with pytest.raises(CommandError, match="^Cannot use /proc/x: "), one_sentence():
        Path("/proc/x").mkdir()
