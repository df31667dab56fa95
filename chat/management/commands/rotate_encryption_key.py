"""``manage.py rotate_encryption_key`` seals all stored keys under a new encryption key while the playground serves.

Where the keys are kept in DATA_DIR it makes the new one itself, and forgets the older ones at the end. Where
ENCRYPTION_KEYS is set, the new one is put first there, and processes started anew, before it is run.
"""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat.keys.rotation import Resealed, are_left, reseal_all
from playground.environment import fresh_encryption_key
from playground.key_file import KeyFile

# So long a process may hold a secret that it read a moment ago, before it opens it.
GRACE_SECONDS = 5.0


class Command(BaseCommand):
    help = "Seal all stored keys again under a new encryption key."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--grace", type=float, default=GRACE_SECONDS, help="Seconds before old keys are forgotten.")

    def handle(self, *args: Any, **options: Any) -> None:
        kept: KeyFile | None = settings.ENCRYPTION_KEY_FILE
        if kept is None:
            self._under_the_first_of_the_environment()
        else:
            self._under_a_new_one(kept, options["grace"])

    def _under_the_first_of_the_environment(self) -> None:
        done = self._reseal()
        if len(settings.ENCRYPTION_KEYS) == 1 and not done.number:
            self.stdout.write(
                "All stored keys are sealed with the only one of ENCRYPTION_KEYS. For a new one: put it first there, "
                "leave the old one behind it, start all processes anew, and run this again."
            )
            return
        self.stdout.write("Older encryption keys can now be taken out of ENCRYPTION_KEYS.")

    def _under_a_new_one(self, kept: KeyFile, grace: float) -> None:
        keys = kept.read()
        # Several are there after a rotation that was broken off: it goes on with the key that it had made.
        if len(keys) == 1:
            keys = (fresh_encryption_key(), *keys)
            kept.write(keys)
        else:
            self.stdout.write("Going on where it was broken off.")
        self._reseal()
        time.sleep(grace)
        if are_left():
            self._reseal()
        kept.write(keys[:1])
        self.stdout.write("The older encryption key is forgotten.")

    def _reseal(self) -> Resealed:
        done = reseal_all()
        self.stdout.write(f"Sealed again: {done.number}.")
        if done.unreadable:
            names = ", ".join(done.unreadable)
            raise CommandError(
                f"Not opened by any encryption key, so left as they are: {names}. Delete them or type them in again, "
                "then run this again; until then the older encryption keys are kept."
            )
        return done
