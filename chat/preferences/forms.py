"""The fields of the settings page but for the parameters, which are ``chat.conversations.parameter_form``'s."""

from django import forms

from chat.accounts.models import User
from chat.catalogue.choices import MAX_TEXT, UnknownModel, UnusableChoice, choice_text, parse_choice
from chat.catalogue.models import Endpoint
from chat.conversations.forms import KeptTextField

MAX_STORED = 300


class PreferencesForm(forms.Form):
    """Names are columns of the user."""

    default_model = forms.CharField(
        label="Model",
        required=False,
        max_length=MAX_TEXT,
        help_text="As in the model picker: org/name, org/name:provider or endpoint@model. "
        "Empty: the one you chose last.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    default_system_prompt = KeptTextField(
        label="System prompt",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "data-autosize": True}),
    )
    theme = forms.ChoiceField(label="Colours", choices=User.Theme.choices, required=False, widget=forms.RadioSelect)
    enter_sends = forms.TypedChoiceField(
        label="The Enter key",
        choices=[("yes", "sends; Shift+Enter breaks the line"), ("no", "breaks the line; Ctrl+Enter sends")],
        coerce=lambda answer: answer == "yes",
        widget=forms.RadioSelect,
    )

    @classmethod
    def of(cls, user: User) -> "PreferencesForm":
        """The form as it stands for this person."""
        return cls(
            initial={
                "default_model": user.default_model,
                "default_system_prompt": user.default_system_prompt,
                "theme": user.theme,
                "enter_sends": "yes" if user.enter_sends else "no",
            }
        )

    def clean_default_model(self) -> str:
        """The shortest text for what was typed, so that it still means the same when the lists have changed."""
        typed = str(self.cleaned_data["default_model"])
        if not typed:
            return ""
        try:
            written = choice_text(parse_choice(typed))
        except UnknownModel as unknown:
            raise forms.ValidationError(_as_typed(typed, unknown)) from unknown
        except UnusableChoice as error:
            raise forms.ValidationError(str(error)) from error
        if len(written) > MAX_STORED:
            raise forms.ValidationError("No model has a name as long as this.")
        return written


class ThemeForm(forms.Form):
    theme = forms.ChoiceField(choices=User.Theme.choices, required=False)


def _as_typed(typed: str, unknown: UnknownModel) -> str:
    router = Endpoint.objects.filter(pk=unknown.as_typed.endpoint_id or 0).first() if unknown.as_typed else None
    if router is None:
        return f"Nothing is named '{typed}'."
    return f"Nothing is named '{typed}'. To use it all the same, write {router.slug}@{typed}."
