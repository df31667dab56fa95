"""``manage.py backup FILE`` writes database, uploads and secrets into one encrypted file, whoever is served."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.backup.actions import Refused, back_up
from chat.backup.passphrase import VARIABLE, passphrase
from chat.serving.preparation import one_sentence


class Command(BaseCommand):
    help = "Write everything this playground keeps into one encrypted file."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="Must not exist yet.")
        parser.add_argument("--passphrase-file", type=Path, help=f"Holds the passphrase; else {VARIABLE} or a prompt.")

    def handle(self, *args: Any, **options: Any) -> None:
        secret = passphrase(options["passphrase_file"], new=True)
        try:
            with one_sentence():
                back_up(options["file"], secret)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"Everything is in {options['file']}. Without its passphrase nobody can read it, you included."
        )
