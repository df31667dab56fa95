"""The verbs of the catalogue: make sure the built-in endpoints exist, store what a sync read, remember a choice.

It never talks to the network; ``sync`` does, and hands over checked facts. Start-up, the local model's supervisor,
``sync`` and the views that pick a model call it.
"""

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.choices import choice_text
from chat.catalogue.facts import OfferFacts
from chat.catalogue.models import Endpoint, LanguageModel, ModelChoice, Offer, RecentChoice
from chat.local.weights import find_weights

ROUTER_SLUG = "hf"
LOCAL_SLUG = "local"
RESERVED_SLUGS = (ROUTER_SLUG, LOCAL_SLUG)
# Stands for the local model's address, which holds a secret and changes with each start: only its supervisor knows it,
# and workers ask there right before they send.
LOCAL_ADDRESS = "http://127.0.0.1:9/v1"
RECENT_CHOICES_KEPT = 8
MAX_SYNC_ERROR = 300
# Below what one statement may carry on SQLite (32,766 variables), with 13 columns an offer.
ROWS_AT_ONCE = 500

MODEL_FIELDS = ("reads_images", "released_at")
OFFER_FIELDS = (
    "status",
    "context_length",
    "input_price",
    "output_price",
    "is_free",
    "supports_tools",
    "supports_structured_output",
    "first_token_ms",
    "tokens_per_second",
)


def ensure_endpoints() -> None:
    """Make the router and the local endpoint be there, as the settings have them. Safe to call at every start."""
    _ensure_router()
    weights = find_weights(settings.LOCAL_MODEL_PATH) if settings.LOCAL_MODEL else None
    local = {
        "kind": Endpoint.Kind.LOCAL,
        "origin": Endpoint.Origin.ENVIRONMENT,
        "base_url": LOCAL_ADDRESS,
        "needs_key": False,
        "enabled": weights is not None,
    }
    endpoint, _ = Endpoint.objects.update_or_create(
        slug=LOCAL_SLUG, defaults=local, create_defaults=local | {"label": "This machine"}
    )
    if weights and not Offer.objects.listed().named(endpoint.pk, weights.model).exists():
        store_offers(endpoint, [_local_facts(weights.model, None)])


def list_local_model(model_name: str, context_length: int | None = None) -> None:
    """List at the local endpoint the one model that its supervisor has just started."""
    store_offers(Endpoint.objects.get(slug=LOCAL_SLUG), [_local_facts(model_name, context_length)])


@transaction.atomic
def store_offers(endpoint: Endpoint, facts: Sequence[OfferFacts]) -> None:
    """Make ``facts`` the endpoint's list; offers that are no longer in it stay, as withdrawn.

    Processes that start together may store the same list at the same time: one endpoint after the other, and in one
    order the models that endpoints share.
    """
    Endpoint.objects.select_for_update(no_key=True).filter(pk=endpoint.pk).first()
    facts = sorted(facts, key=lambda fact: fact.model_id)
    models = _store_models(facts, trusted=endpoint.is_router)
    offers = [_offer(endpoint, models[fact.model_id], fact) for fact in facts]
    set_here = {offer.pk: offer for offer in Offer.objects.filter(endpoint=endpoint, price_set_at__isnull=False)}
    Offer.objects.filter(endpoint=endpoint).update(withdrawn=True)
    Offer.objects.bulk_create(
        offers,
        batch_size=ROWS_AT_ONCE,
        update_conflicts=True,
        unique_fields=["endpoint", "language_model", "provider"],
        update_fields=[*OFFER_FIELDS, "withdrawn"],
    )
    _keep_prices(set_here)
    Endpoint.objects.filter(pk=endpoint.pk).update(synced_at=timezone.now(), sync_error="")


def set_price(offer: Offer, input_price: Decimal | None, output_price: Decimal | None, by: str) -> None:
    """Put an administrator's price, in US dollars for a million tokens, in the place of the listed one; lists that are
    read later leave it there. The caller records it. None: not known."""
    if offer.price_set_at is None:
        _note_listed(offer, Offer.objects.get(pk=offer.pk))
    offer.input_price, offer.output_price, offer.is_free = input_price, output_price, False
    offer.price_set_by, offer.price_set_at = by, timezone.now()
    offer.save()


def take_listed_price(offer: Offer) -> None:
    """The listed price holds again."""
    offer.input_price, offer.output_price = offer.listed_input_price, offer.listed_output_price
    offer.is_free = bool(offer.listed_as_free)
    offer.listed_input_price = offer.listed_output_price = offer.listed_as_free = None
    offer.price_set_by, offer.price_set_at = "", None
    offer.save()


def _note_listed(offer: Offer, listed: Offer) -> None:
    offer.listed_input_price, offer.listed_output_price = listed.input_price, listed.output_price
    offer.listed_as_free = listed.is_free


def _keep_prices(set_here: dict[int, Offer]) -> None:
    """What was set here holds, beside what the endpoint lists now."""
    for listed in Offer.objects.filter(pk__in=set_here):
        offer = set_here[listed.pk]
        prices = (offer.input_price, offer.output_price)
        _note_listed(listed, listed)
        listed.input_price, listed.output_price, listed.is_free = *prices, False
        listed.save()


def record_sync_error(endpoint: Endpoint, sentence: str) -> None:
    """Keep the old list and its date, and say why there is no newer one."""
    Endpoint.objects.filter(pk=endpoint.pk).update(sync_error=sentence[:MAX_SYNC_ERROR])


@transaction.atomic
def remember_choice(user: User, choice: ModelChoice) -> None:
    """Note what a person has just chosen: the next chat starts so, and the picker shows it first."""
    user.last_model = choice_text(choice)
    user.save(update_fields=["last_model"])
    if choice.endpoint_id is None:
        return
    RecentChoice.objects.update_or_create(
        user=user,
        endpoint_id=choice.endpoint_id,
        model_id=choice.model_id,
        provider=choice.provider,
        defaults={"used_at": timezone.now()},
    )
    mine = RecentChoice.objects.filter(user=user).order_by("-used_at", "-pk")
    old = list(mine.values_list("pk", flat=True)[RECENT_CHOICES_KEPT:])
    RecentChoice.objects.filter(pk__in=old).delete()


def _ensure_router() -> None:
    router: dict[str, Any] = {
        "kind": Endpoint.Kind.ROUTER,
        "origin": Endpoint.Origin.ENVIRONMENT,
        "base_url": settings.HF_ROUTER_URL,
    }
    if Endpoint.objects.filter(slug=ROUTER_SLUG).exclude(base_url=settings.HF_ROUTER_URL).exists():
        # Another address is another list: what the old one offered says nothing about it.
        Offer.objects.filter(endpoint__slug=ROUTER_SLUG).update(withdrawn=True)
        router["synced_at"] = None
    Endpoint.objects.update_or_create(
        slug=ROUTER_SLUG, defaults=router, create_defaults=router | {"label": "Hugging Face"}
    )


def _local_facts(model_name: str, context_length: int | None) -> OfferFacts:
    """The embedded server keeps answers to a JSON schema with any model."""
    return OfferFacts(model_name, context_length=context_length, is_free=True, supports_structured_output=True)


def _store_models(facts: Sequence[OfferFacts], *, trusted: bool) -> dict[str, int]:
    """Make the language models that ``facts`` speak of be there; return their keys by hub id.

    Only the router says what a model can do: another endpoint may serve something else under the same name.
    """
    rows = {fact.model_id: LanguageModel(hub_id=fact.model_id, **_picked(fact, MODEL_FIELDS)) for fact in facts}
    LanguageModel.objects.bulk_create(
        list(rows.values()),
        batch_size=ROWS_AT_ONCE,
        ignore_conflicts=not trusted,
        update_conflicts=trusted,
        unique_fields=["hub_id"] if trusted else None,
        update_fields=MODEL_FIELDS if trusted else None,
    )
    keys: dict[str, int] = {}
    names = list(rows)
    for start in range(0, len(names), ROWS_AT_ONCE):
        batch = LanguageModel.objects.filter(hub_id__in=names[start : start + ROWS_AT_ONCE])
        keys.update(batch.values_list("hub_id", "pk"))
    return keys


def _offer(endpoint: Endpoint, language_model_id: int, fact: OfferFacts) -> Offer:
    values = _picked(fact, OFFER_FIELDS)
    return Offer(endpoint=endpoint, language_model_id=language_model_id, provider=fact.provider, **values)


def _picked(fact: OfferFacts, names: Sequence[str]) -> dict[str, Any]:
    values = asdict(fact)
    return {name: values[name] for name in names}
