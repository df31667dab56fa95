"""allauth's forms for second factors with the words of this product; ``MFA_FORMS`` in the settings names them."""

from typing import Any

from allauth.mfa.base import forms as base_forms
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django import forms

from chat.accounts.forms import PlainWords

SIX_DIGITS = "Six digits that your app shows."
LONGEST_NAME = 60


class PlainCode(PlainWords):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = f"{SIX_DIGITS} Or one of your recovery codes."
        self.fields["code"].widget.attrs["autofocus"] = True


class CodeForm(PlainCode, base_forms.AuthenticateForm):
    pass


class CodeAgainForm(PlainCode, base_forms.ReauthenticateForm):
    pass


class ActivateAppForm(PlainWords, totp_forms.ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code"
        self.fields["code"].help_text = SIX_DIGITS
        self.fields["code"].widget.attrs["inputmode"] = "numeric"


class AddPasskeyForm(PlainWords, webauthn_forms.AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(label="Name", required=False, max_length=LONGEST_NAME)
        self.fields["name"].help_text = "To tell it from others, such as “Phone”."
        self.fields["passwordless"].label = "Sign in with it alone, without a password"
        self.fields["passwordless"].help_text = "The device then asks for your finger, your face or its PIN."
        self.initial = {"passwordless": True}


class RenamePasskeyForm(PlainWords, webauthn_forms.EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(label="Name", max_length=LONGEST_NAME)
