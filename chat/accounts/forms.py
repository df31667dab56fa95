"""allauth's forms with the words of this product; what they check is allauth's.

``ACCOUNT_FORMS`` in the settings names them, ``JoinForm`` is used by the page behind an invitation.
"""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.socialaccount import forms as social_forms
from django import forms

PASSWORD_RULES = "At least 8 characters, not only digits, and not one that everybody uses."


class PlainWords(forms.Form):
    """Takes out placeholders that repeat the label, and lists of rules that no paragraph can hold."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.help_text = PASSWORD_RULES if name == "password1" else ""


class SignInForm(PlainWords, allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "remember" in self.fields:
            self.fields["remember"].label = "Stay signed in"


class SignUpForm(PlainWords, allauth_forms.SignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "email" in self.fields:
            # The page marks optional fields itself.
            self.fields["email"].label = "Email"


class JoinForm(SignUpForm):
    def clean(self) -> dict[str, Any]:
        """Say plainly that an address is taken: an invitation proves more than a stranger's sign-up does."""
        cleaned = super().clean() or {}
        if self.account_already_exists:
            self.add_error("email", get_adapter().error_messages["email_taken"])
        return cleaned


class NameForm(PlainWords, social_forms.SignupForm):
    """For who came from Hugging Face, whose name there is taken here."""


class ChangePasswordForm(PlainWords, allauth_forms.ChangePasswordForm):
    pass


class SetPasswordForm(PlainWords, allauth_forms.SetPasswordForm):
    pass


class ReauthenticateForm(PlainWords, allauth_forms.ReauthenticateForm):
    pass
