"""Endpoints in Django admin: administrators add base URLs here; offers are shown and never edited.

What the settings and the local model's supervisor own cannot be changed or deleted, only switched off (the router).
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.text import get_text_list

from chat.administration.recorded import RecordedAdmin
from chat.catalogue.actions import RESERVED_SLUGS
from chat.catalogue.addresses import is_private_host, validate_base_url
from chat.catalogue.models import Endpoint
from chat.catalogue.sync import request_sync
from chat.keys.models import PersonalKey, SharedKey
from chat.providers.requests import chat_url

KINDS = (Endpoint.Kind.INFERENCE_ENDPOINT, Endpoint.Kind.TGI, Endpoint.Kind.OPENAI)
IDENTITY = ("label", "slug", "kind", "base_url", "private_addresses_allowed", "needs_key", "enabled")
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
            f"{len(keys) - len(elsewhere)} may be sent there. {len(elsewhere)} are held back: they were given for "
            f"{hosts}. Confirm each shared key on its own page; people type theirs in again."
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
        if change and "base_url" in form.changed_data and "held back" in (told := self.keys_there(obj)):
            messages.warning(request, told)
