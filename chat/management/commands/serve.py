"""``manage.py serve``: brings everything in order and serves, or says in one sentence why it cannot.

It owns the words on the terminal; the work is done in ``chat.serving``.
"""

import ctypes
import gc
import os
import sys
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import connections

from chat.accounts.actions import create_signin_link
from chat.accounts.links import signin_address
from chat.accounts.models import User
from chat.serving.preparation import check_port, one_sentence, prepare

# mallopt(3), glibc's malloc.h.
M_ARENA_MAX = -8


class Command(BaseCommand):
    help = "Prepare the database and serve the playground until Ctrl-C."
    # They are for developers and cost a second; the tests run them.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._start()
        except CommandError as error:
            sys.exit(f"Cannot start: {error}")

    def _start(self) -> None:
        os.umask(0o077)
        use_one_heap()
        check_port(settings.HOST, settings.PORT)
        prepare(self._say)
        link = one_time_link()
        connections.close_all()
        self._serve(link)

    def _serve(self, link: str) -> None:
        from chat.serving.background import Background
        from chat.serving.server import DrainingServer
        from playground.asgi import application

        server = DrainingServer(
            application,
            (settings.HOST.strip("[]"), settings.PORT),
            Background(),
            settings.DRAIN_SECONDS,
            lambda: self._announce(link),
        )
        # What start-up made stays for good: without this the collector would walk it in the middle of requests.
        gc.collect()
        gc.freeze()
        server.run()
        if server.failure:
            raise CommandError(f"The server ended: {server.failure}")

    def _announce(self, link: str) -> None:
        self._say(f"\nThe playground is at {settings.PUBLIC_URL}")
        if link:
            self._say(f"Sign in once with {link}\n")

    def _say(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()


def use_one_heap() -> None:
    """Have all threads share one heap. Each keeps one of its own otherwise, and what threads leave in theirs is never
    given back: compressing static files once would cost 60 MB for as long as the process lives."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    # Other C libraries than glibc have no such heaps.
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)


def one_time_link() -> str:
    """Return a sign-in link for the first administrator, or "" where a log that others read would be given one.

    That is: at home on this machine always, on a public address only until somebody has come in.
    """
    with one_sentence():
        administrator = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        at_home = urlsplit(settings.PUBLIC_URL).hostname in ("localhost", "127.0.0.1", "::1")
        if administrator is None or (administrator.last_login and not at_home):
            return ""
        _, token = create_signin_link(administrator)
        return signin_address(token)
