"""When somebody last proved who they are in this session: by signing in, or by doing so again.

Whoever finds a browser left open, or steals its cookie, must not reach what an administrator could. What needs a fresh
proof is listed in ``chat.sign_in.guarded``.
"""

import time

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.http import HttpRequest

SIGNED_IN_AT = "signed_in_at"


def note_sign_in(request: HttpRequest) -> None:
    """Remember in the session that the person has just signed in."""
    request.session[SIGNED_IN_AT] = time.time()


def signed_in_lately(request: HttpRequest) -> bool:
    """Whether it was within ``ACCOUNT_REAUTHENTICATION_TIMEOUT`` seconds."""
    again = [
        record["at"] for record in get_authentication_records(request, request.user) if "reauthenticated" in record
    ]
    proved_at = max([request.session.get(SIGNED_IN_AT, 0.0), *again])
    return bool(time.time() - proved_at < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)
