"""Asks a model for one token with a key: the only proof that the key is served. What came of it is said in words.

A token that the Hub knows may still lack credit or rights, and other servers cannot be asked about keys at all.
``actions`` calls it after ``check`` for the keys that others rely on.
"""

import asyncio
from dataclasses import replace

from django.db.models import F
from django.views.decorators.debug import sensitive_variables

from chat.catalogue.models import Endpoint, ModelChoice, Offer
from chat.keys.check import CheckReport, Outcome
from chat.providers.client import close_client, stream_chat
from chat.providers.credential import Credential
from chat.providers.errors import ProviderError
from chat.providers.payload import wire_request
from chat.providers.requests import ChatRequest, EndpointKind, Timeouts, WireRequest

PATIENCE = Timeouts(connect=5.0, first_token=20.0, between_tokens=10.0)
# The key was let through: what came after that is the model's affair.
SERVED = frozenset({"empty", "cut_off", "between_tokens_timeout"})
FOUND = {
    ("unauthorized", 401): Outcome.REFUSED,
    ("forbidden", 403): Outcome.LACKS_RIGHTS,
    ("no_credit", 402): Outcome.NO_CREDIT,
}


def tried(report: CheckReport, credential: Credential, endpoint: Endpoint, bill_to: str) -> CheckReport:
    """``report`` with what one token said; unchanged where the key is refused already, or no model is listed."""
    choice = model_to_try(endpoint)
    if choice is None or report.outcome is Outcome.REFUSED:
        return report
    wire = _question(endpoint, choice, bill_to or report.bill_to)
    error = asyncio.run(_ask_alone(wire, credential, endpoint))
    words = "" if report.outcome is Outcome.UNCHECKED else f"{report.sentence} "
    if error is None or error.kind in SERVED:
        return replace(report, outcome=Outcome.WORKS, sentence=f"{words}{choice.label} answered a test of one token.")
    outcome = FOUND.get((error.kind, error.status or 0), report.outcome)
    sentence = f"{words}A test of one token with {choice.label}: {error.sentence}"
    return replace(report, outcome=outcome, sentence=sentence)


def model_to_try(endpoint: Endpoint) -> ModelChoice | None:
    """The listed model that costs least, or None where none is listed."""
    offers = Offer.objects.listed().filter(endpoint=endpoint, status=Offer.Status.LIVE)
    in_order = offers.order_by("-is_free", F("output_price").asc(nulls_last=True), "pk")
    offer = in_order.select_related("language_model").first()
    return ModelChoice(endpoint.pk, offer.language_model.hub_id, offer.provider) if offer else None


def _question(endpoint: Endpoint, choice: ModelChoice, bill_to: str) -> WireRequest:
    return wire_request(
        ChatRequest(
            kind=EndpointKind(endpoint.kind),
            base_url=endpoint.base_url,
            model=choice.wire_id,
            messages=({"role": "user", "content": "Hi"},),
            parameters={"max_tokens": 1},
            bill_to=bill_to,
            timeouts=PATIENCE,
        )
    )


@sensitive_variables("credential")
async def _ask_alone(wire: WireRequest, credential: Credential, endpoint: Endpoint) -> ProviderError | None:
    """Ask on an event loop made for this one question; the error, or None where an answer came."""
    try:
        async with stream_chat(wire, replace(credential, label="this key"), reach=endpoint.reach) as events:
            async for _ in events:
                pass
    except ProviderError as error:
        return error
    finally:
        await close_client()
    return None
