"""``manage.py check_keys`` asks about every stored key, one after the other, and prints what was found in words.

It ends with status 1 where one does not work.
"""

import sys
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chat.keys.actions import check_again
from chat.keys.errors import KeysError
from chat.keys.models import Key, PersonalKey, SharedKey

WORDS = {True: "works", False: "does not work", None: "not known"}


class Command(BaseCommand):
    help = "Check all stored keys and say what was found."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--shared", action="store_true", help="Shared keys only.")

    def handle(self, *args: Any, **options: Any) -> None:
        failing = sum(not self._check(key, whose) for key, whose in _keys(shared_only=options["shared"]))
        if failing:
            self.stderr.write(f"{failing} do not work.")
            sys.exit(1)

    def _check(self, key: Key, whose: str) -> bool:
        """False where it is known not to work."""
        try:
            report = check_again(key)
            works, sentence = report.passed, report.sentence
        except KeysError as error:
            works, sentence = False, str(error)
        self.stdout.write(f"{key.display} ({whose}, {key.endpoint.label}): {WORDS[works]}. {sentence}")
        return works is not False


def _keys(*, shared_only: bool) -> Iterator[tuple[Key, str]]:
    shared = SharedKey.objects.exclude(sealed="").select_related("endpoint").order_by("pk")
    yield from ((key, "shared" if key.enabled else "shared, switched off") for key in shared)
    if not shared_only:
        personal = PersonalKey.objects.select_related("endpoint", "user").order_by("user__username", "pk")
        yield from ((key, key.user.get_username()) for key in personal)
