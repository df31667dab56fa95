"""Makes a backup while the playground serves, and a playground of a backup while none does.

A backup is read whole before anything is touched, and what it holds is made beside what is there; only the last step
puts it in its place. What cannot be done is raised as ``Refused``, with one sentence.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction

from chat.accounts.models import SignInLink
from chat.backup import database
from chat.backup.contents import Block, Head, Rows, check, reading, writing
from chat.backup.sealing import Unreadable
from chat.keys.rotation import reseal_all
from chat.serving.preparation import pending_migrations

UPLOADS = "uploads"
Say = Callable[[str], object]


class Refused(Exception):
    """Nothing was changed; the text is one sentence that says why."""


def back_up(target: Path, passphrase: str) -> None:
    """Write everything into a new file that only this user may read; whole, or not at all."""
    if target.exists():
        raise Refused(f"{target} exists already: choose another name, or move it away.")
    if pending_migrations():
        raise Refused("The database is of an earlier version: start the playground once, which brings it up to date.")
    with _new_file(target) as stream, writing(stream, passphrase) as writer, database.one_moment():
        writer.head(
            Head(
                migrations=database.applied_migrations(),
                made_at=datetime.now(UTC).isoformat(),
                secret_key=settings.SECRET_KEY,
                encryption_keys=list(settings.ENCRYPTION_KEYS),
            )
        )
        for table in database.tables():
            writer.table(*table)
        for path in _uploads():
            with path.open("rb") as source:
                writer.file(PurePosixPath(path.relative_to(_data_dir()).as_posix()), source)


def restore(
    source: Path, passphrase: str, say: Say, *, force: bool = False, given: frozenset[str] = frozenset()
) -> None:
    """Put what a backup holds in the place of what is here.

    ``given`` names the secrets that the environment sets. They win: stored keys are sealed anew for them.
    """
    try:
        head = check(source, passphrase)
    except Unreadable as error:
        raise Refused(str(error)) from error
    _refuse_to_overwrite(head, force)
    say(f"Restoring the backup of {head.made_at[:16].replace('T', ' ')} UTC…")
    staged = _data_dir() / f"{UPLOADS}.restoring"
    shutil.rmtree(staged, ignore_errors=True)
    try:
        with database.replaced():
            _fill(head, source, passphrase, staged)
            _end_all_sessions()
            _seal_anew(head, say, own_keys="ENCRYPTION_KEYS" in given)
        _keep_secrets(head, given)
        _put_uploads(staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _refuse_to_overwrite(head: Head, force: bool) -> None:
    if unknown := database.unknown_migrations(head.migrations):
        name = ".".join(sorted(unknown)[0])
        raise Refused(f"This backup was made by a newer version (it has {name}): update this playground first.")
    if database.is_served():
        raise Refused("The playground is running: stop it first, on every machine that serves this database.")
    if database.holds_anything() and not force:
        raise Refused("There is a database already: --force puts the backup in its place, and what it holds is gone.")


def _fill(head: Head, source: Path, passphrase: str, staged: Path) -> None:
    filling = database.Filling(head.migrations)
    with transaction.atomic():
        for part in reading(source, passphrase):
            if isinstance(part, Rows):
                filling.insert(part)
            else:
                _store(part, staged)
        filling.check()
    filling.finish()


def _end_all_sessions() -> None:
    """What has been ended or used since the backup was made must not live again."""
    Session.objects.all().delete()
    SignInLink.objects.filter(used_at=None).delete()


def _store(block: Block, staged: Path) -> None:
    """Append to a file below the staged folder, wherever its name would lead."""
    path = (staged / block.file.relative_to(UPLOADS)).resolve()
    if not path.is_relative_to(staged.resolve()):
        raise Refused("The backup has a file that belongs nowhere here.")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("ab") as target:
        target.write(block.data)


def _seal_anew(head: Head, say: Say, own_keys: bool) -> None:
    """Seal stored keys under the key that will be used from now on, with all that may open them at hand."""
    before = settings.ENCRYPTION_KEYS
    first = before[:1] if own_keys else tuple(head.encryption_keys[:1])
    settings.ENCRYPTION_KEYS = tuple(dict.fromkeys((*first, *(before if own_keys else ()), *head.encryption_keys)))
    try:
        with transaction.atomic():
            unreadable = reseal_all().unreadable
    finally:
        settings.ENCRYPTION_KEYS = before
    if unreadable:
        say("Some stored keys could not be opened when the backup was made, and cannot be now.")


def _keep_secrets(head: Head, given: frozenset[str]) -> None:
    """What the environment does not set is kept as it was where the backup was made."""
    kept = {
        "SECRET_KEY": ("secret_key", head.secret_key),
        "ENCRYPTION_KEYS": ("encryption_key", head.encryption_keys[0]),
    }
    for variable, (name, secret) in kept.items():
        if variable not in given:
            with _new_file(_data_dir() / name) as target:
                target.write(secret.encode("ascii"))


def _put_uploads(staged: Path) -> None:
    place = _data_dir() / UPLOADS
    old = place.with_name(f"{UPLOADS}.replaced")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    if staged.exists():
        staged.rename(place)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _new_file(target: Path) -> Iterator[IO[bytes]]:
    """A file that only this user may read, in its place once it is whole and on the disk."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _uploads() -> list[Path]:
    return sorted(path for path in (_data_dir() / UPLOADS).rglob("*") if path.is_file() and not path.is_symlink())


def _data_dir() -> Path:
    return Path(settings.DATA_DIR)
