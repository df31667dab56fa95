"""``manage.py reseal_keys`` seals every stored key under the first of ENCRYPTION_KEYS, so that the others can go."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.keys.actions import reseal_all
from chat.keys.errors import SecretUnreadable


class Command(BaseCommand):
    help = "Seal all stored keys again under the newest encryption key."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            number = reseal_all()
        except SecretUnreadable as error:
            raise CommandError(f"Nothing was changed: {error}") from error
        self.stdout.write(f"Sealed again: {number}. Older encryption keys can now be taken out of ENCRYPTION_KEYS.")
