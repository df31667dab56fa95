"""Typed text ↔ ``ModelChoice``: what a person may write for a model, and how a choice is written back.

A model is written ``[endpoint@]model[:provider]``; without an endpoint the router is meant, and only the router
has providers. It owns that grammar and its words; storing choices is ``actions``' part, keys are unknown here.
"""

import re
from urllib.parse import urlsplit

from django.db.models import Case, IntegerField, Value, When

from chat.accounts.models import User
from chat.catalogue.facts import MAX_MODEL_ID
from chat.catalogue.models import Endpoint, ModelChoice, Offer, OfferQuerySet, RecentChoice
from chat.providers.credential import contains_token
from chat.providers.requests import chat_url

DEFAULT_MODEL = "meta-llama/Llama-3.1-8B-Instruct"
MAX_PROVIDER = 60
MAX_TEXT = 600
_ADDRESSED = re.compile(r"([A-Za-z0-9_-]+)@(.*)")


class UnusableChoice(ValueError):
    """Typed text that names no model; its text is one sentence for the person who typed it."""


class UnknownModel(UnusableChoice):
    """A bare name that no endpoint lists. ``as_typed`` is the choice to offer all the same, if there is one."""

    def __init__(self, text: str, as_typed: ModelChoice | None) -> None:
        super().__init__(f"Nothing named '{text}'. Use it as typed?")
        self.as_typed = as_typed


def parse_choice(text: str) -> ModelChoice:
    """Return what ``text`` names, to the letter; the inverse of ``choice_text``.

    ``org/name[:provider]`` is the router's, listed or not, unless it is the name of this machine's model;
    ``slug@model`` is that endpoint's; the URL of a known endpoint its model; a bare name must be listed somewhere.
    Raises UnusableChoice, UnknownModel among them.
    """
    text = text.strip()
    _refuse_unusable(text)
    addressed = _ADDRESSED.fullmatch(text)
    if addressed:
        return _at_slug(*addressed.groups())
    if "://" in text:
        return _at_url(text)
    if _means_the_router(text):
        return _at_endpoint(_router(), text)
    return _listed_exactly(text) or _typed_for_router(text)


def pick_choice(text: str, user: User) -> ModelChoice:
    """Return what Enter in the model picker means: the exact id; else text with "/", ":" or "://" as typed; else
    the first match, what the person chose lately before the rest; else as typed. Raises UnusableChoice."""
    text = text.strip()
    _refuse_unusable(text)
    exact = _listed_exactly(text)
    if exact is not None:
        return exact
    try:
        return parse_choice(text)
    except UnknownModel as unknown:
        choice = _first_match(text, user) or unknown.as_typed
        if choice is None:
            raise
        return choice


def choice_text(choice: ModelChoice) -> str:
    """Return the shortest text that ``parse_choice`` reads as ``choice``: the endpoint is named only where it must."""
    endpoint = Endpoint.objects.filter(pk=choice.endpoint_id or 0).first()
    if endpoint is None or (endpoint.is_router and _means_the_router(choice.wire_id)):
        return choice.wire_id
    return addressed(choice, endpoint)


def addressed(choice: ModelChoice, endpoint: Endpoint) -> str:
    """``choice_text`` with the endpoint always named, for what is read by forms and not by people."""
    return f"{endpoint.slug}@{choice.wire_id}"


def default_choice(user: User, *, has_key: bool) -> ModelChoice:
    """Return what a new chat starts with. ``has_key`` tells whether the person can use the router.

    Their default, else what they chose last, else the usual model at the router, else the local model.
    """
    for text in (user.default_model, user.last_model):
        try:
            return parse_choice(text)
        except UnusableChoice:
            continue
    router = Endpoint.objects.filter(kind=Endpoint.Kind.ROUTER, enabled=True).first()
    local = None if has_key and router else local_choice()
    return local or ModelChoice(router.pk if router else None, DEFAULT_MODEL)


def local_choice() -> ModelChoice | None:
    """The model on this machine, or None where there is none."""
    offer = _offers_here().select_related("language_model").first()
    return ModelChoice(offer.endpoint_id, offer.language_model.hub_id) if offer else None


def _refuse_unusable(text: str) -> None:
    if not text:
        raise UnusableChoice("Type the name of a model.")
    if contains_token(text):
        raise UnusableChoice("This is a token, not a model. Add it under Keys instead.")
    if len(text) > MAX_TEXT or not text.isprintable() or " " in text:
        raise UnusableChoice("The name of a model is one word, such as org/name.")


def _means_the_router(text: str) -> bool:
    """Whether a text without an endpoint is for the router: it looks like a Hub id and is not this machine's model."""
    looks_so = "/" in text and "://" not in text and not _ADDRESSED.fullmatch(text)
    return looks_so and not _offers_here().filter(language_model__hub_id=text).exists()


def _at_url(url: str) -> ModelChoice:
    """The model behind the address of a known endpoint, which may have been typed with or without its path."""
    wanted = _comparable(url)
    for endpoint in Endpoint.objects.filter(enabled=True):
        if _comparable(endpoint.base_url) == wanted:
            listed = Offer.objects.listed().filter(endpoint=endpoint).order_by("language_model__hub_id")
            name = listed.values_list("language_model__hub_id", flat=True).first()
            # TGI answers for its one model under this name (TGI documentation, "Messages API").
            return ModelChoice(endpoint.pk, DEFAULT_MODEL if endpoint.is_router else name or "tgi")
    raise UnusableChoice("No endpoint with this address is known here. An administrator can add it.")


def _comparable(url: str) -> str:
    try:
        parts = urlsplit(chat_url(url))
    except ValueError as error:
        raise UnusableChoice("This is not a web address.") from error
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()).geturl()


def _at_slug(slug: str, model: str) -> ModelChoice:
    endpoint = Endpoint.objects.filter(slug=slug, enabled=True).first()
    if endpoint is None:
        raise UnusableChoice(f"No endpoint is called '{slug}'.")
    return _at_endpoint(endpoint, model)


def _at_endpoint(endpoint: Endpoint, text: str) -> ModelChoice:
    """``model[:provider]`` at the router; elsewhere the whole text names the model, colons included."""
    model, colon, provider = text.rpartition(":") if endpoint.is_router and ":" in text else (text, "", "")
    if not model or (colon and not provider):
        raise UnusableChoice("Name a model, and after a colon its provider: org/name:provider.")
    if len(model) > MAX_MODEL_ID or len(provider) > MAX_PROVIDER:
        raise UnusableChoice("No model has a name as long as this.")
    return ModelChoice(endpoint.pk, model, provider)


def _router() -> Endpoint:
    router = Endpoint.objects.filter(kind=Endpoint.Kind.ROUTER, enabled=True).order_by("pk").first()
    if router is None:
        raise UnusableChoice("The Hugging Face router is turned off here. Name an endpoint: endpoint@model.")
    return router


def _typed_for_router(text: str) -> ModelChoice:
    """A bare name that nothing lists. ``name:provider`` is meant for the router; without a colon one is asked."""
    router = Endpoint.objects.filter(kind=Endpoint.Kind.ROUTER, enabled=True).order_by("pk").first()
    if router is not None and ":" in text:
        return _at_endpoint(router, text)
    raise UnknownModel(text, _at_endpoint(router, text) if router else None)


def _listed_exactly(name: str) -> ModelChoice | None:
    """The model of exactly this name: this machine's, else the router's, else any endpoint's."""
    offer = (
        Offer.objects.listed()
        .filter(language_model__hub_id=name)
        .annotate(nearness=_nearness())
        .order_by("nearness", "endpoint__label", "endpoint_id")
        .first()
    )
    return ModelChoice(offer.endpoint_id, name) if offer else None


def _first_match(text: str, user: User) -> ModelChoice | None:
    recent = RecentChoice.objects.filter(user=user, endpoint__enabled=True, model_id__icontains=text)
    found = recent.select_related("endpoint").order_by("-used_at").first()
    if found is not None:
        return found.choice
    offer = Offer.objects.listed().matching(text).values_list("endpoint_id", "language_model__hub_id").first()
    return ModelChoice(*offer) if offer else None


def _offers_here() -> OfferQuerySet:
    return Offer.objects.listed().filter(endpoint__kind=Endpoint.Kind.LOCAL)


def _nearness() -> Case:
    """The order of the model picker: this machine, the router, the rest."""
    return Case(
        When(endpoint__kind=Endpoint.Kind.LOCAL, then=Value(0)),
        When(endpoint__kind=Endpoint.Kind.ROUTER, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
