"""Endpoints and prices in Django admin: administrators add base URLs here, and set prices in place of the listed ones.

What the settings and the local model's supervisor own cannot be changed or deleted, only switched off (the router).
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import get_text_list

from chat.administration.recorded import RecordedAdmin, person
from chat.audit.record import Verb, record
from chat.catalogue.actions import RESERVED_SLUGS, set_price, take_listed_price
from chat.catalogue.addresses import is_private_host, validate_base_url
from chat.catalogue.models import Endpoint, Offer
from chat.catalogue.sync import request_sync
from chat.keys.models import PersonalKey, SharedKey
from chat.providers.requests import chat_url
from chat.templatetags.figures import dollars

KINDS = (Endpoint.Kind.INFERENCE_ENDPOINT, Endpoint.Kind.TGI, Endpoint.Kind.OPENAI)
IDENTITY = ("label", "slug", "kind", "base_url", "private_addresses_allowed", "needs_key", "enabled", "billed_by_hour")
PRIVATE = "This address is in a private network. If it is a server of yours, allow that below."
PATIENCE = ("connect_timeout", "first_token_timeout", "between_tokens_timeout")
LONGEST_TIMEOUT = 3600


class EndpointForm(forms.ModelForm[Endpoint]):
    """An endpoint that an administrator adds or changes."""

    class Meta:
        model = Endpoint
        fields = (*IDENTITY, *PATIENCE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "kind" in self.fields:
            self.fields["kind"].choices = [(kind.value, kind.label) for kind in KINDS]  # type: ignore[attr-defined]

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if slug in RESERVED_SLUGS:
            raise forms.ValidationError("This name is taken by a built-in endpoint.")
        return slug

    def clean_base_url(self) -> str:
        url = str(self.cleaned_data["base_url"]).strip()
        validate_base_url(url)
        return url

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("private_addresses_allowed") and is_private_host(cleaned.get("base_url", "")):
            self.add_error("base_url", PRIVATE)
        for name in PATIENCE:
            seconds = cleaned.get(name)
            # "Not above" instead of "below": NaN must fail both ways.
            if seconds is not None and not 0 < seconds <= LONGEST_TIMEOUT:
                self.add_error(name, f"Give seconds, more than 0 and at most {LONGEST_TIMEOUT}.")
        return cleaned


@admin.register(Endpoint)
class EndpointAdmin(RecordedAdmin):
    """Endpoints and how their last sync went."""

    form = EndpointForm
    list_display = ("label", "slug", "kind", "base_url", "enabled", "models_listed", "synced_at", "sync_error")
    readonly_fields = ("chat_address", "keys_there", "models_listed", "synced_at", "sync_error")
    fieldsets = (
        (None, {"fields": ("label", "slug", "kind", "base_url", "chat_address", "keys_there", *IDENTITY[4:])}),
        ("Patience", {"fields": PATIENCE}),
        ("List of models", {"fields": ("models_listed", "synced_at", "sync_error")}),
    )

    @admin.display(description="Chats are posted to")
    def chat_address(self, endpoint: Endpoint) -> str:
        return chat_url(endpoint.base_url) if endpoint.base_url else "Saved first, shown then."

    @admin.display(description="Keys")
    def keys_there(self, endpoint: Endpoint) -> str:
        """How many may be sent there, and how many are held back because they were given for another address."""
        if endpoint._state.adding:
            return "–"
        keys = [*SharedKey.objects.filter(endpoint=endpoint), *PersonalKey.objects.filter(endpoint=endpoint)]
        elsewhere = [key for key in keys if not key.belongs_to(endpoint)]
        if not elsewhere:
            return f"{len(keys)} may be sent there."
        hosts = get_text_list(sorted({key.host for key in elsewhere}), "and")
        return (
            f"{len(keys) - len(elsewhere)} may be sent there. Held back: {len(elsewhere)}, given for {hosts}. "
            "Confirm each shared key on its own page; people type theirs in again."
        )

    @admin.display(description="Models listed")
    def models_listed(self, endpoint: Endpoint) -> int:
        return endpoint.offers.listed().values("language_model").distinct().count()

    def get_readonly_fields(self, request: HttpRequest, obj: Endpoint | None = None) -> Any:
        own = obj is None or obj.origin == Endpoint.Origin.ADMINISTRATOR
        return self.readonly_fields if own else (*self.readonly_fields, *IDENTITY[1:6])

    def has_delete_permission(self, request: HttpRequest, obj: Endpoint | None = None) -> bool:
        built_in = obj is not None and obj.origin == Endpoint.Origin.ENVIRONMENT
        return not built_in and super().has_delete_permission(request, obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Name the endpoints only. Django would list everybody's own keys, and what each person chose there."""
        endpoints = list(objs)
        kept = {"built-in endpoint" for endpoint in endpoints if not self.has_delete_permission(request, endpoint)}
        described = [f"{endpoint} with the keys that were stored for it" for endpoint in endpoints]
        return described, {"endpoints": len(endpoints)}, kept, []

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        request_sync()
        if change and "base_url" in form.changed_data and "Held back" in (told := self.keys_there(obj)):
            messages.warning(request, told)


class OfferForm(forms.ModelForm[Offer]):
    """A price of one's own."""

    class Meta:
        model = Offer
        fields = ("input_price", "output_price")
        help_texts = dict.fromkeys(fields, "US dollars for a million tokens; empty where it is not known.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in ("input_price", "output_price"):
            if (cleaned.get(name) or 0) < 0:
                self.add_error(name, "A price is not below zero.")
        return cleaned


@admin.register(Offer)
class OfferAdmin(RecordedAdmin):
    """Prices: as their endpoint lists them, with the date of the list, or as an administrator set them."""

    form = OfferForm
    list_display = ("language_model", "provider", "endpoint", "price_in", "price_out", "price_is")
    list_display_links = ("language_model",)
    list_filter = (("price_set_at", admin.EmptyFieldListFilter), "withdrawn", "endpoint", "provider")
    list_select_related = ("language_model", "endpoint")
    search_fields = ("language_model__hub_id",)
    ordering = ("language_model__hub_id", "provider", "pk")
    show_facets = admin.ShowFacets.NEVER
    fields = ("language_model", "provider", "endpoint", "input_price", "output_price", "price_is", "listed")
    readonly_fields = ("language_model", "provider", "endpoint", "price_is", "listed")
    actions = ("use_listed",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Offer | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Offer, form: Any, change: bool) -> None:
        if form.changed_data:
            set_price(obj, obj.input_price, obj.output_price, request.user.get_username())

    @admin.action(description="Use the listed prices again", permissions=["change"])
    def use_listed(self, request: HttpRequest, queryset: Any) -> None:
        set_here = list(queryset.filter(price_set_at__isnull=False))
        for offer in set_here:
            was = {"input_price": offer.input_price, "output_price": offer.output_price}
            with transaction.atomic():
                take_listed_price(offer)
                told = {name: {"from": before, "to": getattr(offer, name)} for name, before in was.items()}
                record(person(request), Verb.CHANGED, offer, told)
        self.message_user(request, f"Listed prices hold again for {len(set_here)}.")

    @admin.display(description="in, $ a million", ordering="input_price")
    def price_in(self, offer: Offer) -> str:
        return _price(offer, offer.input_price)

    @admin.display(description="out, $ a million", ordering="output_price")
    def price_out(self, offer: Offer) -> str:
        return _price(offer, offer.output_price)

    @admin.display(description="this price is")
    def price_is(self, offer: Offer) -> str:
        if offer.price_set_at:
            return f"set by {offer.price_set_by} on {_day(offer.price_set_at)}"
        synced = offer.endpoint.synced_at
        return f"as listed on {_day(synced)}" if synced else "as listed"

    @admin.display(description="the list says")
    def listed(self, offer: Offer) -> str:
        if not offer.price_set_at:
            return "the same"
        shown = [dollars(price) or "not known" for price in (offer.listed_input_price, offer.listed_output_price)]
        return "free" if offer.listed_as_free else " in, ".join(shown) + " out"


def _price(offer: Offer, price: Decimal | None) -> str:
    if offer.endpoint.billed_by_hour:
        return "billed by the hour"
    return "free" if offer.is_free else dollars(price) or "not known"


def _day(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d}"
