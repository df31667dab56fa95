"""Where the passphrase of a backup comes from: a file, the environment, or a prompt; never the command line.

What stands on a command line is seen by everybody on the machine and kept by shells.
"""

import os
import sys
from getpass import getpass
from pathlib import Path

from django.core.management import CommandError

VARIABLE = "BACKUP_PASSPHRASE"
SHORTEST = 8


def passphrase(file: Path | None, *, new: bool) -> str:
    """Return it; a ``new`` one is asked for twice and must be long enough. Raises CommandError."""
    found = _from_file(file) if file is not None else os.environ.get(VARIABLE, "") or _asked(new)
    if not found:
        raise CommandError(f"A passphrase is needed: set {VARIABLE}, or name a file that holds it, or type it.")
    if new and len(found) < SHORTEST:
        raise CommandError(f"The passphrase must have at least {SHORTEST} characters: it protects all keys and chats.")
    return found


def _from_file(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The passphrase cannot be read from {file}.") from error


def _asked(new: bool) -> str:
    if not sys.stdin.isatty():
        return ""
    first = getpass("Passphrase of the backup: ")
    if new and getpass("Once more: ") != first:
        raise CommandError("The two differ; nothing was written.")
    return first
