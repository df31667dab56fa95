"""``manage.py restore FILE`` makes this playground what another, or this one, was when the backup was made."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.backup.actions import Refused, restore
from chat.backup.passphrase import VARIABLE, passphrase
from chat.serving.preparation import one_sentence

SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS")


class Command(BaseCommand):
    help = "Put what a backup holds in the place of what this playground keeps."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--passphrase-file", type=Path, help=f"Holds the passphrase; else {VARIABLE} or a prompt.")
        parser.add_argument("--force", action="store_true", help="Also where there is a database already.")

    def handle(self, *args: Any, **options: Any) -> None:
        os.umask(0o077)
        secret = passphrase(options["passphrase_file"], new=False)
        given = frozenset(name for name in SECRETS if os.environ.get(name, "").strip())
        try:
            with one_sentence():
                restore(options["file"], secret, self.stdout.write, force=options["force"], given=given)
        except Refused as refusal:
            raise CommandError(f"Nothing was changed. {refusal}") from refusal
        for name in sorted(given):
            self.stdout.write(f"{name} is set in the environment, which wins over the backup's.")
        self.stdout.write("Restored. Start the playground as usual.")
