"""Stands before every page: administrators have their second factor, and what is delicate a fresh sign-in."""

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django_htmx.http import HttpResponseClientRedirect

from chat.accounts.fresh import signed_in_lately
from chat.accounts.models import User
from chat.accounts.second_factor import lacks_second_factor
from chat.sign_in.guarded import SAFE_METHODS, is_guarded
from chat.sign_in.suspension import resume, suspend

GetResponse = Callable[[HttpRequest], HttpResponse]
NEEDS_FACTOR = "Administrators of this playground sign in with a second factor. Set one up to go on."
NOT_KEPT = "That was too long to be kept while you proved who you are. Send it again."
# What one needs to set a factor up, or to leave.
WITHOUT_FACTOR = ("mfa_", "account_logout", "account_reauthenticate", "account_set_password")


class RequireSecondFactor:
    """Lets an administrator without a second factor do nothing but set one up (``REQUIRE_ADMIN_MFA``)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        name = (request.resolver_match and request.resolver_match.url_name) or ""
        user = request.user
        if name.startswith(WITHOUT_FACTOR) or not isinstance(user, User) or not lacks_second_factor(user):
            return None
        messages.warning(request, NEEDS_FACTOR)
        return _go(request, reverse("mfa_index"))


class RequireFreshSignIn:
    """Asks who is there before a guarded view runs, keeps what was posted to it, and goes on with that."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        user = request.user
        if not isinstance(user, User):
            return None
        if signed_in_lately(request):
            resume(request, user)
            return None
        if not is_guarded(request):
            return None
        if request.method not in SAFE_METHODS and not suspend(request, user):
            messages.warning(request, NOT_KEPT)
        methods = get_adapter().get_reauthentication_methods(user)
        if not methods:
            return render(request, "chat/sign_in/nothing_to_prove_it_with.html", {"person": user}, status=403)
        return _go(request, f"{methods[0]['url']}?{urlencode({'next': request.get_full_path()})}")


def _go(request: HttpRequest, address: str) -> HttpResponse:
    # htmx would put the page that it is led to into a corner of this one.
    return HttpResponseClientRedirect(address) if getattr(request, "htmx", False) else redirect(address)
