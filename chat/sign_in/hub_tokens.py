"""The token that comes with signing in with Hugging Face: stored like any personal key, and renewed before it ends.

``keep`` and ``forget`` are called as people sign in and disconnect, ``renew_due`` in the background. Whoever takes a
renewal on does so by a guarded update, so that several processes do not spend the same secret.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys import rotation
from chat.keys.errors import KeysError
from chat.keys.models import PersonalKey
from chat.keys.vault import Binding, last_four, open_sealed, seal
from chat.sign_in.models import HubToken

LABEL = "Hugging Face sign-in"
RENEWED = "From signing in with Hugging Face; it is renewed by itself."
NOT_RENEWED = "From signing in with Hugging Face; sign in with it again when it has expired."
ENDED = "Hugging Face renews this token no more. Sign in with Hugging Face again."
# Renewed so long before it ends; a run that begins then has its time.
EARLY = timedelta(minutes=20)
AFTER_FAILURE = timedelta(minutes=1)
# Where the other side does not say how long a token lives.
UNTOLD_LIFETIME = timedelta(hours=1)
TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Tokens:
    """What the Hub gave: the token, what renews it (or nothing), and when it ends."""

    access: str
    renewal: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Tokens(expires_at={self.expires_at!r})"


class RenewalRefused(Exception):
    """The Hub will not renew it, now or later."""


@sensitive_variables("tokens")
@transaction.atomic
def keep(user: User, tokens: Tokens) -> PersonalKey | None:
    """Store ``tokens`` as this person's key for the router, in place of those kept before; None without a router."""
    router = Endpoint.objects.filter(kind=Endpoint.Kind.ROUTER, enabled=True).first()
    if router is None:
        return None
    kept = HubToken.objects.select_for_update().filter(key__user=user, key__endpoint=router).first()
    key = kept.key if kept else PersonalKey(user=user, endpoint=router, label=LABEL)
    key.host, key.scheme = router.host, router.scheme
    _seal_into(key, tokens)
    HubToken.objects.update_or_create(key=key, defaults=_facts(key, tokens))
    return key


def forget(user_id: int) -> None:
    """Delete the key that came with signing in."""
    PersonalKey.objects.filter(user=user_id, hub_token__isnull=False).delete()


def renew_due() -> int:
    """Renew all tokens that end soon and return how many were."""
    now = timezone.now()
    due = HubToken.objects.filter(expires_at__lte=now + EARLY, try_at__lte=now).exclude(renewal_sealed="")
    return sum(_renew(token) for token in due.select_related("key__user", "key__endpoint"))


@sensitive_variables("tokens", "renewal")
def _renew(token: HubToken) -> bool:
    mine = HubToken.objects.filter(pk=token.pk, try_at=token.try_at)
    if mine.update(try_at=timezone.now() + AFTER_FAILURE) != 1:
        return False
    try:
        tokens = _ask(open_sealed(token.renewal_sealed, _binding(token.key)))
    except requests.RequestException:
        return False
    except (RenewalRefused, KeysError):
        with transaction.atomic():
            HubToken.objects.filter(pk=token.pk).update(renewal_sealed="")
            PersonalKey.objects.filter(pk=token.key_id).update(check_passed=False, check_report=ENDED)
        return False
    with transaction.atomic():
        # Deleted, or signed in again, while the Hub was asked: what is there now counts.
        if not HubToken.objects.select_for_update().filter(pk=token.pk, renewal_sealed=token.renewal_sealed).exists():
            return False
        _seal_into(token.key, tokens)
        HubToken.objects.filter(pk=token.pk).update(**_facts(token.key, tokens))
    return True


@sensitive_variables("renewal", "fields", "answer")
def _ask(renewal: str) -> Tokens:
    """Ask for new tokens (RFC 6749 6). Raises ``RenewalRefused`` and ``requests.RequestException``."""
    fields = {"grant_type": "refresh_token", "refresh_token": renewal, "client_id": settings.HF_OAUTH_CLIENT_ID}
    with requests.Session() as session:
        session.trust_env = False
        response = session.post(
            f"{settings.HF_HUB_URL}/oauth/token",
            data=fields,
            auth=(settings.HF_OAUTH_CLIENT_ID, settings.HF_OAUTH_CLIENT_SECRET),
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )
    if response.status_code in (400, 401):
        raise RenewalRefused
    if response.status_code != 200:
        raise requests.HTTPError(f"The Hub answered {response.status_code}.")
    return read_tokens(response.json(), renewal)


@sensitive_variables("answer", "renewal")
def read_tokens(answer: Any, renewal: str = "") -> Tokens:
    """The tokens in an answer; one that names no new renewal keeps the old one."""
    if not isinstance(answer, dict) or not isinstance(answer.get("access_token"), str):
        raise requests.HTTPError("The Hub answered without a token.")
    seconds = answer.get("expires_in")
    lifetime = timedelta(seconds=seconds) if isinstance(seconds, int) and seconds > 0 else UNTOLD_LIFETIME
    return Tokens(answer["access_token"], answer.get("refresh_token") or renewal, timezone.now() + lifetime)


@sensitive_variables("tokens")
def _seal_into(key: PersonalKey, tokens: Tokens) -> None:
    key.last_four, key.given_at = last_four(tokens.access), timezone.now()
    key.sealed = seal(tokens.access, Binding.of(key))
    key.check_passed, key.check_report = None, RENEWED if tokens.renewal else NOT_RENEWED
    key.save()


@sensitive_variables("tokens")
def _facts(key: PersonalKey, tokens: Tokens) -> dict[str, Any]:
    renewal = seal(tokens.renewal, _binding(key)) if tokens.renewal else ""
    return {"renewal_sealed": renewal, "expires_at": tokens.expires_at, "try_at": timezone.now()}


def _binding(key: PersonalKey) -> Binding:
    return Binding("hub renewal", key.host, str(key.user_id))


rotation.register(
    rotation.Sealed(
        lambda: HubToken.objects.select_related("key__user"), "renewal_sealed", lambda token: _binding(token.key)
    )
)
