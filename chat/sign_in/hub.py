"""Tells django-allauth about signing in with Hugging Face: off until the environment has a client id and its secret.

allauth checks state, PKCE and the identity token. The tokens that come along are taken from it at once, before it
could put them into a session, and lie sealed until the person is really in.
"""

import json
from datetime import datetime
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables
from requests import Session

from chat.accounts.actions import accept_invited
from chat.accounts.errors import LinkRefused
from chat.accounts.models import User
from chat.accounts.views import INVITED, refused_page
from chat.keys.errors import SecretUnreadable
from chat.keys.vault import Binding, open_sealed, seal
from chat.sign_in import hub_tokens
from chat.sign_in.hub_tokens import UNTOLD_LIFETIME, Tokens

PROVIDER = "huggingface"
SCOPES = ["openid", "profile", "inference-api"]
WAITING = "hub_tokens"
# Sealed for whoever holds the session: who that is, is not known yet.
BINDING = Binding("hub tokens in a session", "")


class HubAdapter(DefaultSocialAccountAdapter):
    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Hugging Face, where it is set up; what the database says of others does not count."""
        if not settings.HF_OAUTH_CLIENT_ID or provider not in (None, PROVIDER, "openid_connect"):
            return []
        app = SocialApp(
            provider="openid_connect",
            provider_id=PROVIDER,
            name="Hugging Face",
            client_id=settings.HF_OAUTH_CLIENT_ID,
            secret=settings.HF_OAUTH_CLIENT_SECRET,
            settings={"server_url": settings.HF_HUB_URL, "oauth_pkce_enabled": True, "scope": SCOPES},
        )
        return [app] if client_id in (None, app.client_id) else []

    def get_requests_session(self) -> Session:
        session: Session = super().get_requests_session()
        session.trust_env = False
        return session

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """By an invitation that was opened in this browser, or where everybody may come."""
        return settings.SIGNUP == "open" or INVITED in request.session

    @sensitive_variables("token", "plain")
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        token, sociallogin.token = sociallogin.token, None
        if token is None or not token.token:
            return
        expires_at = token.expires_at or timezone.now() + UNTOLD_LIFETIME
        plain = json.dumps([sociallogin.account.uid, token.token, token.token_secret, expires_at.isoformat()])
        request.session[WAITING] = seal(plain, BINDING)

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Make the account; where strangers may not, on the invitation, which is spent by it."""

        def make() -> User:
            user: User = super(HubAdapter, self).save_user(request, sociallogin, form)
            return user

        invitation = request.session.pop(INVITED, None)
        if settings.SIGNUP == "open" and invitation is None:
            return make()
        try:
            return accept_invited(invitation or 0, make)
        except LinkRefused as refusal:
            raise ImmediateHttpResponse(refused_page(request, refusal)) from refusal


@sensitive_variables("tokens")
def keep_tokens(request: HttpRequest, user: User) -> None:
    """Store what has waited in the session, now that it is known for whom."""
    sealed = request.session.pop(WAITING, "")
    try:
        uid, access, renewal, expires_at = json.loads(open_sealed(sealed, BINDING))
    except SecretUnreadable:
        return
    # They may have come for an account that then somebody else signed in to.
    if SocialAccount.objects.filter(user=user, provider=PROVIDER, uid=uid).exists():
        hub_tokens.keep(user, Tokens(access, renewal, datetime.fromisoformat(expires_at)))
