"""Endpoints, language models and offers: what a lane can be pointed at, with prices and capabilities.

Rows come from the background sync, from the environment and from administrators; pages only read them.
A model that is not listed can still be typed: a ``ModelChoice`` needs no offer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils import timezone

from chat.prepared import Prepared, given_each
from chat.providers.reach import Reach
from chat.providers.requests import EndpointKind

POLICIES = ("fastest", "cheapest", "preferred")


class Endpoint(models.Model):
    """A base URL that speaks OpenAI-style chat completions."""

    class Kind(models.TextChoices):
        ROUTER = EndpointKind.ROUTER.value, "Hugging Face router"
        INFERENCE_ENDPOINT = EndpointKind.INFERENCE_ENDPOINT.value, "Inference Endpoint"
        TGI = EndpointKind.TGI.value, "TGI server"
        OPENAI = EndpointKind.OPENAI.value, "OpenAI-compatible server"
        LOCAL = EndpointKind.LOCAL.value, "On this machine"

    class Origin(models.TextChoices):
        ENVIRONMENT = "environment", "From the settings"
        ADMINISTRATOR = "administrator", "Added by an administrator"

    slug = models.SlugField(unique=True, help_text="Names the endpoint in a typed model: slug@model.")
    label = models.CharField(max_length=100)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.OPENAI)
    base_url = models.CharField(max_length=500, help_text="With or without /v1; the chat route is added.")
    origin = models.CharField(max_length=20, choices=Origin.choices, default=Origin.ADMINISTRATOR, editable=False)
    needs_key = models.BooleanField(default=True)
    enabled = models.BooleanField(default=True)
    billed_by_hour = models.BooleanField(
        default=False, db_default=False, help_text="It costs by the hour it runs, whatever is asked: no price by token."
    )
    private_addresses_allowed = models.BooleanField(
        "may be in a private network",
        default=False,
        db_default=False,
        help_text="Only for a server of your own: its name may then lead to this machine or into your network.",
    )
    connect_timeout = models.FloatField(default=10, help_text="Seconds.")
    first_token_timeout = models.FloatField(default=120, help_text="Seconds until the first token.")
    between_tokens_timeout = models.FloatField(default=60, help_text="Seconds of silence between tokens.")
    synced_at = models.DateTimeField(null=True, editable=False, help_text="When its list of models was last read.")
    sync_error = models.CharField(max_length=300, blank=True, editable=False)

    def __str__(self) -> str:
        return self.label

    @property
    def host(self) -> str:
        """The network location that keys are bound to: ``host`` or ``host:port``."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2].lower()

    @property
    def scheme(self) -> str:
        """``https``, or ``http``, over which whatever is sent can be read on the way."""
        return urlsplit(self.base_url).scheme.lower()

    @property
    def reach(self) -> Reach:
        """Where its address may lead. What the settings name is trusted as it is."""
        trusted = self.private_addresses_allowed or self.origin == self.Origin.ENVIRONMENT
        return Reach.PRIVATE if trusted else Reach.PUBLIC

    @property
    def is_router(self) -> bool:
        return self.kind == self.Kind.ROUTER

    @property
    def is_local(self) -> bool:
        return self.kind == self.Kind.LOCAL


class LanguageModel(models.Model):
    """Weights with a Hub id, or the name by which an endpoint knows them."""

    hub_id = models.CharField(max_length=200, unique=True)
    reads_images = models.BooleanField(default=False)
    released_at = models.DateTimeField(null=True, blank=True, help_text="When it was published, as its endpoint says.")

    def __str__(self) -> str:
        return self.hub_id

    @property
    def label(self) -> str:
        return short_name(self.hub_id)


class OfferQuerySet(models.QuerySet["Offer"]):
    def listed(self) -> "OfferQuerySet":
        """Offers that their endpoint named in its last answer."""
        return self.filter(withdrawn=False, endpoint__enabled=True)

    def named(self, endpoint_id: int | None, hub_id: str) -> "OfferQuerySet":
        return self.filter(endpoint_id=endpoint_id or 0, language_model__hub_id=hub_id)

    def matching(self, text: str) -> "OfferQuerySet":
        """Offers of models whose name holds every word of ``text``, best first, with ``closeness`` (0 is best).

        A model of this machine goes first, then names that begin with the text, after the organisation or with it.
        """
        words = text.split()
        found = self.filter(*(Q(language_model__hub_id__icontains=word) for word in words))
        begins = Q(language_model__hub_id__istartswith=text) | Q(language_model__hub_id__icontains=f"/{text}")
        closeness = Case(
            When(endpoint__kind=EndpointKind.LOCAL.value, then=Value(0)),
            When(begins, then=Value(1)),
            default=Value(2),
            output_field=models.IntegerField(),
        )
        return found.annotate(closeness=closeness).order_by("closeness", "language_model__hub_id", "endpoint_id")

    def for_choices(self, choices: Iterable["ModelChoice"]) -> "OfferQuerySet":
        """All offers of the models in ``choices``, in one query."""
        wanted = Q(pk__in=())
        for choice in choices:
            wanted |= Q(endpoint_id=choice.endpoint_id, language_model__hub_id=choice.model_id)
        return self.listed().filter(wanted).select_related("language_model")


class Offer(models.Model):
    """One language model at one endpoint through one provider. Prices are US dollars per million tokens."""

    class Status(models.TextChoices):
        LIVE = "live", "Live"
        STAGING = "staging", "Staging"
        ERROR = "error", "Failing"

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="offers")
    language_model = models.ForeignKey(LanguageModel, on_delete=models.CASCADE, related_name="offers")
    provider = models.CharField(max_length=60, blank=True, help_text="Empty where the endpoint itself serves.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.LIVE)
    withdrawn = models.BooleanField(default=False)
    context_length = models.PositiveIntegerField(null=True, blank=True)
    input_price = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    output_price = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    is_free = models.BooleanField(default=False)
    # What the endpoint lists, while an administrator's price stands in its place above.
    listed_input_price = models.DecimalField(max_digits=12, decimal_places=6, null=True, editable=False)
    listed_output_price = models.DecimalField(max_digits=12, decimal_places=6, null=True, editable=False)
    listed_as_free = models.BooleanField(null=True, editable=False)
    price_set_by = models.CharField(max_length=150, blank=True, default="", db_default="", editable=False)
    price_set_at = models.DateTimeField(null=True, editable=False, help_text="None: the price is the listed one.")
    supports_tools = models.BooleanField(null=True)
    supports_structured_output = models.BooleanField(null=True)
    first_token_ms = models.FloatField(null=True, blank=True)
    tokens_per_second = models.FloatField(null=True, blank=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "language_model", "provider"], name="one_offer_per_provider")
        ]

    def __str__(self) -> str:
        return f"{self.language_model.hub_id} · {self.provider or self.endpoint.label}"

    def cost(self, prompt_tokens: int, completion_tokens: int) -> Decimal | None:
        """US dollars for that many tokens, or None where no price is known."""
        if self.is_free:
            return Decimal(0)
        if self.input_price is None or self.output_price is None:
            return None
        return (self.input_price * prompt_tokens + self.output_price * completion_tokens) / 1_000_000


class RecentChoice(models.Model):
    """What a person chose lately; the model picker shows it first."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="recent_choices")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="+")
    model_id = models.CharField(max_length=300)
    provider = models.CharField(max_length=60, blank=True)
    used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "endpoint", "model_id", "provider"], name="one_recent_per_choice")
        ]

    def __str__(self) -> str:
        return self.choice.wire_id

    @property
    def choice(self) -> "ModelChoice":
        return ModelChoice(self.endpoint_id, self.model_id, self.provider)


@dataclass(frozen=True)
class ModelChoice:
    """What a lane talks to: an endpoint, a model id there, and a provider or policy (``""`` lets the router choose)."""

    endpoint_id: int | None
    model_id: str
    provider: str = ""

    @property
    def wire_id(self) -> str:
        """The ``model`` of the request body: ``org/name`` or ``org/name:provider``."""
        return f"{self.model_id}:{self.provider}" if self.provider else self.model_id

    @property
    def label(self) -> str:
        return short_name(self.model_id)

    def best_offer(self, offers: Iterable[Offer]) -> Offer | None:
        """The offer that this choice most likely ends at; for a policy the router's own rule is followed.

        ``fastest`` is the highest tokens per second, ``cheapest`` the lowest output price; with no
        provider the router takes the fastest (Inference Providers documentation, "Provider selection").
        """
        mine = [o for o in offers if o.endpoint_id == self.endpoint_id and o.language_model.hub_id == self.model_id]
        if self.provider and self.provider not in POLICIES:
            return next((o for o in mine if o.provider == self.provider), None)
        live = [o for o in mine if o.status == Offer.Status.LIVE] or mine
        if self.provider == "cheapest":
            return min(live, key=lambda o: (o.output_price is None, o.output_price or Decimal(0)), default=None)
        return max(live, key=lambda o: o.tokens_per_second or 0.0, default=None)


_OFFERS = Prepared(
    lambda: (
        Offer.objects.listed()
        .filter(endpoint__in=given_each("endpoints"), language_model__hub_id__in=given_each("models"))
        .select_related("language_model")
    )
)


def offers_of(choices: Iterable[ModelChoice]) -> list[Offer]:
    """The listed offers of these models at these endpoints, for ``best_offer``; one query."""
    wanted = [choice for choice in choices if choice.endpoint_id is not None]
    if not wanted:
        return []
    return _OFFERS.rows(
        endpoints={choice.endpoint_id for choice in wanted}, models={choice.model_id for choice in wanted}
    )


def short_name(model_id: str) -> str:
    """The part of a model id that people say: ``meta-llama/Llama-3.1-8B-Instruct`` → ``Llama-3.1-8B-Instruct``."""
    return model_id.rstrip("/").rpartition("/")[2] or model_id
