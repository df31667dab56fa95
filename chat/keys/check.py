"""Asks the Hub whether a token is good, once, and says the outcome in words.

Only Hugging Face tokens can be asked about, and only the Hub is asked; a key for another server is never sent
anywhere but there. Called by ``actions`` when a key is stored and when somebody presses "Check".
"""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.text import get_text_list
from django.views.decorators.debug import sensitive_variables

from chat.catalogue.models import Endpoint
from chat.keys.whoami import CALL_ENDPOINTS, CALL_PROVIDERS, Identity, Right, read_whoami
from chat.providers.client import close_client, get_json
from chat.providers.credential import Credential
from chat.providers.errors import ProviderError
from chat.providers.reach import Reach

NOT_HUGGING_FACE = "Not checked: only Hugging Face says what a token may do. The first message will show."
NOT_A_HUB_TOKEN = "Not checked: this is not a Hugging Face token. The first message will show whether it works."


class Outcome(StrEnum):
    """``ACCEPTED``: valid, but the Hub does not say what it may call. ``UNCHECKED``: nothing was learned."""

    WORKS = "works"
    LACKS_RIGHTS = "lacks_rights"
    NO_CREDIT = "no_credit"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNCHECKED = "unchecked"


@dataclass(frozen=True)
class CheckReport:
    """What a check found. ``bill_to`` names the organisation that must pay where the owner may not."""

    outcome: Outcome
    sentence: str
    organisations: tuple[str, ...] = ()
    bill_to: str = ""

    @property
    def passed(self) -> bool | None:
        """True, False, or None where it could not be told."""
        if self.outcome is Outcome.WORKS:
            return True
        return False if self.outcome in (Outcome.LACKS_RIGHTS, Outcome.NO_CREDIT, Outcome.REFUSED) else None


def check_secret(secret: str, endpoint: Endpoint) -> CheckReport:
    """Return what can be said about ``secret`` for ``endpoint``; blocks for as long as the Hub takes."""
    if not asks_the_hub(endpoint) or not secret:
        return CheckReport(Outcome.UNCHECKED, NOT_HUGGING_FACE)
    # A dedicated endpoint may be guarded by a secret of its own, which is not the Hub's business.
    if not endpoint.is_router and not secret.startswith("hf_"):
        return CheckReport(Outcome.UNCHECKED, NOT_A_HUB_TOKEN)
    return asyncio.run(_ask_alone(secret, endpoint))


def asks_the_hub(endpoint: Endpoint) -> bool:
    """Tell whether keys for ``endpoint`` are Hugging Face tokens."""
    return endpoint.kind in (Endpoint.Kind.ROUTER, Endpoint.Kind.INFERENCE_ENDPOINT)


def token_page(endpoint: Endpoint) -> str:
    """The Hub's page that makes a token with the right that ``endpoint`` needs; empty for other servers."""
    if not asks_the_hub(endpoint):
        return ""
    right = CALL_PROVIDERS if endpoint.is_router else CALL_ENDPOINTS[0]
    return f"{settings.HF_HUB_URL}/settings/tokens/new?ownUserPermissions={right}&tokenType=fineGrained"


@sensitive_variables("secret")
async def _ask_alone(secret: str, endpoint: Endpoint) -> CheckReport:
    """Ask on an event loop made for this one question, which takes its connection with it."""
    try:
        return await _ask(secret, endpoint)
    finally:
        await close_client()


@sensitive_variables("secret", "credential")
async def _ask(secret: str, endpoint: Endpoint) -> CheckReport:
    credential = Credential(secret, urlsplit(settings.HF_HUB_URL).netloc, "this token", "")
    try:
        # The settings name it, so it is trusted.
        body = await get_json(f"{settings.HF_HUB_URL}/api/whoami-v2", credential, reach=Reach.PRIVATE)
    except ProviderError as error:
        return _not_answered(error)
    return report_on(read_whoami(body), endpoint)


def _not_answered(error: ProviderError) -> CheckReport:
    if error.kind == "unauthorized":
        return CheckReport(
            Outcome.REFUSED, "Hugging Face does not know this token. It may be mistyped, revoked or expired."
        )
    if error.kind == "rate_limited":
        return CheckReport(
            Outcome.UNCHECKED, "Not checked: Hugging Face was asked too often. Check again in a few minutes."
        )
    return CheckReport(Outcome.UNCHECKED, f"Not checked: Hugging Face did not answer. {error.sentence}")


def report_on(identity: Identity, endpoint: Endpoint) -> CheckReport:
    """Put what the Hub said into words and an outcome, as seen from ``endpoint``."""
    needed = identity.providers if endpoint.is_router else identity.endpoints
    sentence = f"{_whose(identity)} {_rights(identity)}"
    if needed.allowed is None:
        return CheckReport(Outcome.ACCEPTED, sentence, identity.organisations)
    outcome = Outcome.WORKS if needed.allowed else Outcome.LACKS_RIGHTS
    return CheckReport(outcome, sentence, identity.organisations, next(iter(needed.only_for), ""))


def _whose(identity: Identity) -> str:
    return f"Belongs to {identity.name}." if identity.name else "Hugging Face accepts it."


def _rights(identity: Identity) -> str:
    rights = {"Inference Providers": identity.providers, "Inference Endpoints": identity.endpoints}
    if all(right.allowed is None for right in rights.values()):
        return "What it may call cannot be told for this kind of token."
    may = [_called(name, right) for name, right in rights.items() if right.allowed]
    may_not = [name for name, right in rights.items() if right.allowed is False]
    if not may:
        return f"May not call {get_text_list(may_not, 'or')}."
    but = f", but not {get_text_list(may_not, 'or')}" if may_not else ""
    return f"May call {get_text_list(may, 'and')}{but}."


def _called(name: str, right: Right) -> str:
    return f"{name} (paid by {get_text_list(list(right.only_for), 'or')})" if right.only_for else name
