"""What a page may ask for, one form an action; the socket and the plain POSTs validate with the same ones."""

from typing import Any

from django import forms

from chat.conversations.composer import TEXT_LIMIT


class KeptTextField(forms.CharField):
    """Text of a person, kept as typed, white space at its ends included. NUL goes: no database takes it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, max_length=TEXT_LIMIT, **kwargs)

    def to_python(self, value: Any) -> str:
        return storable(str(super().to_python(value)))


def storable(text: str) -> str:
    """Text of a person as it is kept, however it came."""
    return text.replace("\x00", "").replace("\r\n", "\n")


class RowIdField(forms.IntegerField):
    """The id of a row: no larger than a database's column, which a larger one would break."""

    def __init__(self) -> None:
        super().__init__(min_value=1, max_value=2**63 - 1)


_ROW_ID = RowIdField()
# More than any page names at once: each costs time on a database thread.
MOST_IDS = 100


class RowIdsField(forms.Field):
    """The ids of some rows; whether they are there and whose they are is for the action to see."""

    widget = forms.SelectMultiple

    def to_python(self, value: Any) -> list[int]:
        words = list(value or ())
        if len(words) > MOST_IDS:
            raise forms.ValidationError("That is more than there can be.")
        return [_ROW_ID.clean(word) for word in words]


class SendForm(forms.Form):
    text = KeptTextField(
        error_messages={
            "required": "Write something first.",
            "max_length": "This is longer than 200,000 characters. Shorten it, or send it in parts.",
        }
    )
    lanes = RowIdsField(required=False)
    client_id = forms.CharField(max_length=64)
    key = forms.CharField(max_length=40, required=False)

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        if not text.strip():
            raise forms.ValidationError("Write something first.")
        return text


class MessageForm(forms.Form):
    message = RowIdField()


class RegenerateForm(MessageForm):
    temperature = forms.FloatField(min_value=0, max_value=2, required=False)
    choice = forms.CharField(max_length=500, required=False)
    q = forms.CharField(max_length=500, required=False)


class EditForm(forms.Form):
    text = KeptTextField(error_messages={"required": "Write something first."})


class LaneForm(forms.Form):
    lane = RowIdField()


class MoveForm(LaneForm):
    direction = forms.ChoiceField(choices=[("left", "left"), ("right", "right")])


class AskNowForm(LaneForm):
    row = forms.IntegerField(min_value=0, max_value=2**31 - 1)


class SystemPromptForm(LaneForm):
    system_prompt = KeptTextField(required=False)


class RunForm(forms.Form):
    run = RowIdField()


class EmptyForm(forms.Form):
    """For actions that need nothing but the chat."""


class TitleForm(forms.Form):
    title = forms.CharField(max_length=200)


class DraftForm(forms.Form):
    text = KeptTextField(required=False)
    client_id = forms.CharField(max_length=64, required=False)
