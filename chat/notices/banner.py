"""The notices on every page of an administrator, read from the database only where a page shows them."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from chat.accounts.models import User
from chat.notices.models import Notice

# More would leave no room for the page; the rest comes up as these are dismissed.
SHOWN_AT_ONCE = 3


def notices(request: HttpRequest) -> dict[str, Any]:
    """A context processor: ``notices`` for ``chat/notices/_notices.html``."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    return {"notices": SimpleLazyObject(lambda: list(Notice.objects.shown_to(user)[:SHOWN_AT_ONCE]))}
