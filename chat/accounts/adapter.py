"""Tells django-allauth who may make an account, and how fresh a sign-in must be. All else is allauth's own."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from django.conf import settings
from django.http import HttpRequest

from chat.accounts.fresh import signed_in_lately


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Tell whether strangers may sign up; an invitation (``views.JoinView``) needs no open door."""
        return bool(settings.SIGNUP == "open")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send nothing: addresses are never verified here, so no mail may let anybody in. Mail is for notices."""

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Who has signed in a moment ago need not do so again."""
        required: bool = super().is_reauthentication_required(app=app, **kwargs)
        return required and not signed_in_lately(context.request)
