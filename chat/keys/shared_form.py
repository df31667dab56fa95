"""The form of a shared key in Django admin: a token or a set of headers goes in when typed, and never comes out."""

import re
from typing import Any

from django import forms
from django.views.decorators.debug import sensitive_variables

from chat.keys.fingerprint import shared_key_with
from chat.keys.forms import SECRET_LIMIT, NameField, SecretField
from chat.keys.models import Key, SharedKey
from chat.providers.key_headers import parse_headers, write_headers

# Names of organisations and ids of resource groups, which are all that a bill can be sent to.
_PAYER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class UnseenTextarea(forms.Textarea):
    """Gives nothing back, whatever was typed."""

    def format_value(self, value: Any) -> str:
        return ""


class SharedKeyForm(forms.ModelForm[SharedKey]):
    """Of ``secret`` and ``headers`` one is typed for a new key, and none to keep what is stored."""

    label = NameField(max_length=60)
    secret = SecretField(label="Token", required=False)
    headers = forms.CharField(
        label="Or headers",
        required=False,
        max_length=SECRET_LIMIT,
        help_text="For servers that want other headers than Authorization: Bearer. One a line, as Name: value.",
        widget=UnseenTextarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )
    confirm_address = forms.BooleanField(
        label="Send the stored secret to this endpoint",
        required=False,
        help_text="Only if the address of the endpoint above belongs to whom the secret was given for.",
    )

    class Meta:
        model = SharedKey
        fields = ("label", "endpoint", "bill_to", "priority", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["priority"].required = False
        if self.instance.sealed:
            shown = self.instance.last_four
            ends = f" The stored one ends in {shown}." if shown else ""
            self.fields["secret"].help_text = f"Leave empty to keep the stored one.{ends}"

    def clean_priority(self) -> int:
        typed = self.cleaned_data["priority"]
        return int(self.instance.priority if typed is None else typed)

    def clean_bill_to(self) -> str:
        payer = str(self.cleaned_data["bill_to"])
        if payer and not _PAYER.fullmatch(payer):
            raise forms.ValidationError("Give the name of an organisation as it stands in its address.")
        return payer

    @sensitive_variables()
    def clean_headers(self) -> str:
        typed = str(self.cleaned_data["headers"])
        if not typed:
            return ""
        try:
            return write_headers(parse_headers(typed))
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    @sensitive_variables()
    def clean(self) -> dict[str, Any]:
        """Refuse a secret that is there already, and to carry a stored one to another address unasked."""
        cleaned = super().clean() or {}
        secret, headers = cleaned.get("secret", ""), cleaned.get("headers", "")
        if secret and headers:
            self.add_error("headers", "Give a token or headers, not both.")
        elif given := secret or headers:
            if other := shared_key_with(given, beside=self.instance.pk):
                self.add_error("secret" if secret else "headers", f"This secret is stored already, as {other}.")
        elif not self.instance.sealed and not self.errors.keys() & {"secret", "headers"}:
            self.add_error("secret", "This field is required.")
        elif self.held_back and not cleaned.get("confirm_address"):
            self._say_where_it_belongs()
        return cleaned

    @property
    def held_back(self) -> bool:
        """Whether the stored secret was given for another address than the endpoint has, and no other was typed."""
        cleaned, key = self.cleaned_data, self.instance
        typed = cleaned.get("secret") or cleaned.get("headers")
        endpoint = cleaned.get("endpoint")
        return bool(key.sealed and endpoint and not typed and not key.belongs_to(endpoint))

    @property
    def carried(self) -> Key.Carried:
        """How what was typed is sent."""
        return Key.Carried.HEADERS if self.cleaned_data.get("headers") else Key.Carried.BEARER

    def _say_where_it_belongs(self) -> None:
        endpoint = self.cleaned_data["endpoint"]
        self.add_error(
            "secret",
            f"The stored secret belongs to {self.instance.host}. Type one for {endpoint.scheme}://{endpoint.host}, "
            "or confirm below that it is to be sent there.",
        )
