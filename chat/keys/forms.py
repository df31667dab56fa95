"""Forms that take a secret in. It is never rendered back: after an error the field comes back empty."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Case, QuerySet, Value, When

from chat.catalogue.models import Endpoint
from chat.providers.credential import contains_token

SECRET_LIMIT = 4096
# What an Authorization header can carry (RFC 9110 5.5) without a space, which no token has.
_SECRET = re.compile(r"[\x21-\x7e]{4,}")


class SecretField(forms.CharField):
    """A secret, typed or pasted; masked on the screen and kept out of the browser's store of passwords."""

    def __init__(self, *, label: str, required: bool = True, help_text: str = "") -> None:
        widget = forms.PasswordInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "data-1p-ignore": "", "data-lpignore": "true"}
        )
        super().__init__(label=label, required=required, help_text=help_text, max_length=SECRET_LIMIT, widget=widget)

    def clean(self, value: object) -> str:
        secret: str = super().clean(value)
        if secret and not _SECRET.fullmatch(secret):
            raise forms.ValidationError("A token has no spaces and no special letters. Copy it again.")
        return secret


class NoTokenInput(forms.TextInput):
    """Does not give a token back that was pasted into the wrong box."""

    def format_value(self, value: Any) -> str | None:
        return "" if contains_token(str(value)) else super().format_value(value)


class NameField(forms.CharField):
    """A name for a key; names are shown and stored as they are, so it must not be the key itself."""

    widget = NoTokenInput

    def clean(self, value: object) -> str:
        name: str = super().clean(value)
        if contains_token(name):
            raise forms.ValidationError("That looks like a token. Paste it into the field for it, not here.")
        return name


def endpoints_for_keys() -> QuerySet[Endpoint]:
    """Endpoints that a key can be stored for, the router first."""
    router_first = Case(When(kind=Endpoint.Kind.ROUTER, then=Value(0)), default=Value(1))
    return Endpoint.objects.filter(enabled=True).exclude(kind=Endpoint.Kind.LOCAL).order_by(router_first, "label")


class KeyForm(forms.Form):
    """A person's own key."""

    secret = SecretField(label="Token", help_text="Stored encrypted, and never shown again.")
    label = NameField(label="Name", required=False, max_length=60, help_text="To tell it from others, such as “Work”.")
    endpoint = forms.ModelChoiceField(label="For", queryset=Endpoint.objects.none(), empty_label=None)

    def __init__(self, data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        endpoint = self.fields["endpoint"]
        assert isinstance(endpoint, forms.ModelChoiceField)
        endpoint.queryset = endpoints_for_keys()


class BillToForm(forms.Form):
    """Which organisation pays for what is done with a key; empty for the token's owner."""

    organisation = forms.CharField(required=False, max_length=100)
