"""What one-time links are made of: their secret, its hash and their address. Issuing and spending is in ``actions``."""

import hashlib
import secrets
from datetime import timedelta

from django.conf import settings
from django.urls import reverse

SIGN_IN_LIFETIME = timedelta(minutes=15)
INVITATION_LIFETIME = timedelta(days=7)
# 256 bits: beyond guessing, so that an unsalted hash is enough to store.
TOKEN_BYTES = 32


def fresh_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def token_hash(token: str) -> str:
    """The SHA-256 under which a token is stored, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def signin_address(token: str) -> str:
    """The whole address that signs one person in."""
    return settings.PUBLIC_URL + reverse("accounts:signin_link", args=[token])


def invitation_address(token: str) -> str:
    """The whole address at which one new person makes an account."""
    return settings.PUBLIC_URL + reverse("accounts:join", args=[token])
