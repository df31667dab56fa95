"""Keeps what somebody has posted while they prove who they are, and goes on with it afterwards.

It may hold a key that was being stored, so it lies sealed in the session, for this person alone and not for long.
"""

import json
import time
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.datastructures import MultiValueDict
from django.views.decorators.debug import sensitive_variables

from chat.accounts.models import User
from chat.keys.errors import SecretUnreadable
from chat.keys.vault import Binding, open_sealed, seal

SUSPENDED = "suspended_request"
# Characters of a form; what is longer is not kept, and the page says so.
LONGEST = 200_000
SECONDS_KEPT = 1_800


@sensitive_variables("body", "plain")
def suspend(request: HttpRequest, user: User) -> bool:
    """Keep what was posted; say whether it could be. Files are not kept."""
    body = request.POST.urlencode()
    if request.FILES or len(body) > LONGEST:
        return False
    plain = json.dumps({"path": request.get_full_path(), "body": body, "at": time.time()})
    request.session[SUSPENDED] = seal(plain, _binding(user))
    return True


def suspended_path(request: HttpRequest, user: User) -> str:
    """Where this person was posting to; empty where nothing is kept."""
    kept = _kept(request, user)
    return kept["path"] if kept else ""


@sensitive_variables("kept")
def resume(request: HttpRequest, user: User) -> bool:
    """Turn a look at the page that something was posted to into that posting; once. Say whether it was.

    The token of the form was checked when it was posted first.
    """
    if SUSPENDED not in request.session or request.method != "GET":
        return False
    kept = _kept(request, user)
    if kept and kept["path"] != request.get_full_path():
        return False
    del request.session[SUSPENDED]
    if kept is None:
        return False
    request.method = request.META["REQUEST_METHOD"] = "POST"
    request.POST = QueryDict(kept["body"])
    request._files = MultiValueDict()  # type: ignore[attr-defined]
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    return True


def _kept(request: HttpRequest, user: User) -> dict[str, Any] | None:
    try:
        kept: dict[str, Any] = json.loads(open_sealed(request.session.get(SUSPENDED, ""), _binding(user)))
    except SecretUnreadable:
        return None
    return kept if time.time() - kept["at"] < SECONDS_KEPT else None


def _binding(user: User) -> Binding:
    return Binding("suspended request", "", str(user.pk))
