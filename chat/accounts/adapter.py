"""Tells django-allauth who may make an account. Everything else about signing in is allauth's own."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Tell whether strangers may sign up; an invitation (``views.JoinView``) needs no open door."""
        return bool(settings.SIGNUP == "open")
