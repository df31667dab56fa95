"""Keeps the token of a sign-in with Hugging Face once the person is in, and deletes it when they disconnect."""

from typing import Any

from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.signals import social_account_added, social_account_updated
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_delete
from django.dispatch import receiver
from django.http import HttpRequest

from chat.accounts.models import User
from chat.sign_in import hub_tokens
from chat.sign_in.hub import WAITING, keep_tokens


@receiver(user_logged_in)
def keep_after_sign_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    if WAITING in request.session:
        keep_tokens(request, user)


@receiver([social_account_added, social_account_updated])
def keep_after_connecting(request: HttpRequest, **kwargs: Any) -> None:
    if isinstance(request.user, User) and WAITING in request.session:
        keep_tokens(request, request.user)


@receiver(post_delete, sender=SocialAccount)
def forget_after_disconnecting(instance: SocialAccount, **kwargs: Any) -> None:
    hub_tokens.forget(instance.user_id)
