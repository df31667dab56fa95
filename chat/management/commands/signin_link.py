"""``manage.py signin_link [username]`` prints a one-time link; for the first start, and for forgotten passwords."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from chat.accounts.actions import create_signin_link
from chat.accounts.links import SIGN_IN_LIFETIME, signin_address
from chat.accounts.models import User
from chat.accounts.second_factor import forget_second_factors


class Command(BaseCommand):
    help = "Print a link that signs one person in, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", nargs="?", help="Whom; without it, the first active administrator.")
        parser.add_argument("--minutes", type=int, default=SIGN_IN_LIFETIME.seconds // 60, help="How long it works.")
        parser.add_argument(
            "--new-password", action="store_true", help="Forget the password, so that a new one can be set."
        )

        parser.add_argument(
            "--without-second-factor", action="store_true", help="Forget second factors; for who has lost them all."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["minutes"] < 1:
            raise CommandError("--minutes must be at least 1.")
        user = _person(options["username"])
        if options["new_password"]:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        if options["without_second_factor"]:
            forget_second_factors(user)
        _, token = create_signin_link(user, timedelta(minutes=options["minutes"]))
        self.stdout.write(signin_address(token))


def _person(username: str | None) -> User:
    if username is None:
        first = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        if first is None:
            raise CommandError("There is no active administrator yet: run python manage.py createsuperuser.")
        return first
    try:
        user = User.objects.get(username=username)
    except User.DoesNotExist as error:
        raise CommandError(f"There is nobody named {username!r}.") from error
    if not user.is_active:
        raise CommandError(f"The account {username!r} is switched off.")
    return user
