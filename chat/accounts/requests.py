"""The request as views behind ``login_required`` see it, for the type checker, and where it came from."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from chat.accounts.models import User


class PersonRequest(HttpRequest):
    user: User
    htmx: HtmxDetails


def page_before(request: HttpRequest) -> str:
    """The page of this site that a form was posted from, else the first one."""
    before = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, require_https=request.is_secure())
    return before if ours else "/"
