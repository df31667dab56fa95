"""The request as views behind ``login_required`` see it, for the type checker: a known person, and htmx's headers."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from chat.accounts.models import User


class PersonRequest(HttpRequest):
    user: User
    htmx: HtmxDetails
