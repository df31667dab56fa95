"""The pages behind one-time links: sign in with one button, or make an invited account.

Opening a link changes nothing, so that a chat program's preview does not spend it; only the button does.
Passwords, signing out and throttling are allauth's.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.utils import complete_signup, perform_login
from allauth.account.views import SignupView
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.decorators import rate_limit
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from chat.accounts.actions import accept_invitation, find_invitation, find_signin_link, spend_signin_link
from chat.accounts.errors import LinkRefused
from chat.accounts.forms import JoinForm
from chat.accounts.models import User

# In a session: the id of the invitation whose secret was shown.
INVITED = "invited"
View = Callable[..., HttpResponseBase]


def secret_address(view: View) -> View:
    """Keep the address of the page, which is a secret, out of caches and out of every Referer header.

    Not ``no-referrer``: under it browsers send ``Origin: null`` with the form (Fetch Standard, "append a request
    Origin header"), which the CSRF check must refuse.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["Referrer-Policy"] = "strict-origin"
        return response

    return never_cache(wrapped)


@secret_address
@rate_limit(action="login")
@require_http_methods(["GET", "HEAD", "POST"])
def signin_link(request: HttpRequest, token: str) -> HttpResponse:
    """Offer to sign in; on POST spend the link and do it."""
    try:
        if request.method == "POST":
            return _sign_in(request, spend_signin_link(token))
        link = find_signin_link(token)
    except LinkRefused as refusal:
        return refused_page(request, refusal)
    return render(request, "chat/accounts/signin_link.html", {"person": link.user})


@method_decorator(secret_address, name="dispatch")
class JoinView(SignupView):
    """allauth's sign-up, opened by an invitation instead of by ``SIGNUP=open``."""

    template_name = "chat/accounts/join.html"

    def get_form_class(self) -> type[JoinForm]:
        return JoinForm

    def is_open(self) -> bool:
        try:
            invitation = find_invitation(self.kwargs["token"])
        except LinkRefused as refusal:
            raise ImmediateHttpResponse(refused_page(self.request, refusal)) from refusal
        if settings.HF_OAUTH_CLIENT_ID:
            # Who goes on to Hugging Face comes back without the secret.
            self.request.session[INVITED] = invitation.pk
        return True

    def form_valid(self, form: JoinForm) -> HttpResponse:
        try:
            self.user = accept_invitation(self.kwargs["token"], lambda: form.save(self.request))
        except LinkRefused as refusal:
            return refused_page(self.request, refusal)
        response: HttpResponse = complete_signup(self.request, self.user, "none", self.get_success_url())
        return response


join: View = require_http_methods(["GET", "HEAD", "POST"])(JoinView.as_view())


def _sign_in(request: HttpRequest, user: User) -> HttpResponse:
    # Signing out says goodbye to the other person's sockets too; a silent swap of sessions would not.
    if request.user.is_authenticated and request.user != user:
        get_adapter(request).logout(request)
    response: HttpResponse = perform_login(request, user, email_verification="none")
    return response


def refused_page(request: HttpRequest, refusal: LinkRefused) -> HttpResponse:
    """Why a link lets nobody in."""
    context: dict[str, Any] = {"refusal": refusal}
    return render(request, "chat/accounts/link_refused.html", context, status=refusal.status)
