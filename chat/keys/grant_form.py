"""The form of a grant: whom it names, what may be asked, and eight limits, each a choice that must be made.

No box stands for "without end" by being empty: that is chosen in words.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from chat.keys.limits import Limit, Measure
from chat.keys.models import KeyGrant
from chat.keys.scope import patterns

NO_LIMIT, AT_MOST, BLOCKED = "none", "at_most", "blocked"
CHOICES = [(NO_LIMIT, "No limit"), (AT_MOST, "At most"), (BLOCKED, "Blocked")]
# More than anybody has, and what a column of the database holds.
MOST = Decimal(10) ** 11


class LimitWidget(forms.MultiWidget):
    """Three radio buttons and the box of the second."""

    use_fieldset = True

    def __init__(self, unit: str) -> None:
        amount = forms.NumberInput(attrs={"min": "0", "step": "any", "aria-label": f"At most, {unit}", "size": 12})
        super().__init__([forms.RadioSelect(choices=CHOICES), amount])

    def decompress(self, value: Decimal | None) -> list[Any]:
        if value is None:
            return [NO_LIMIT, None]
        return [BLOCKED, None] if value == 0 else [AT_MOST, f"{value.normalize():f}"]


class LimitField(forms.MultiValueField):
    """At most so much: a number, 0 for blocked, None for no limit. An amount without "At most" is no answer either."""

    def __init__(self, measure: Measure, choices: Iterable[str] = (NO_LIMIT, AT_MOST, BLOCKED)) -> None:
        allowed = [choice for choice in CHOICES if choice[0] in choices]
        places = 4 if measure.is_money else 0
        fields = (
            forms.ChoiceField(choices=allowed),
            forms.DecimalField(min_value=0, max_value=MOST, decimal_places=places, required=False),
        )
        super().__init__(
            fields,
            widget=LimitWidget(measure.label),
            label=measure.label[:1].upper() + measure.label[1:],
            require_all_fields=False,
            required=True,
        )
        radio = self.widget.widgets[0]
        radio.choices = allowed

    def compress(self, data_list: list[Any]) -> Decimal | None:
        kind, amount = data_list or (None, None)
        if kind == AT_MOST:
            if not amount:
                raise ValidationError("Write how much at most, or choose another of the three.")
            return Decimal(amount)
        if amount:
            raise ValidationError("Choose “At most” for this number to hold, or take it away.")
        return Decimal(0) if kind == BLOCKED else None


class PatternsField(forms.CharField):
    """Patterns, one a line. At least one: no pattern would allow nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3, "cols": 50, "spellcheck": "false"}), **kwargs)

    def clean(self, value: object) -> str:
        return "\n".join(patterns(super().clean(value)))


def limit_name(each_person: bool, measure: Measure) -> str:
    """The field of one limit."""
    return f"{'each' if each_person else 'together'}_{measure.value}"


LIMITS = [(each_person, measure) for each_person in (True, False) for measure in Measure]


class KeyGrantForm(forms.ModelForm[KeyGrant]):
    """Its limits are saved by ``save_limits`` once the grant has been."""

    model_patterns = PatternsField(label="Models", help_text=KeyGrant._meta.get_field("model_patterns").help_text)
    provider_patterns = PatternsField(
        label="Providers", help_text=KeyGrant._meta.get_field("provider_patterns").help_text
    )

    class Meta:
        model = KeyGrant
        fields = ("shared_key", "user", "group", "everyone", "model_patterns", "provider_patterns", "expires_at")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored: dict[tuple[bool, str], Decimal] = {}
        if self.instance.pk:
            stored = {(each.each_person, each.measure): each.at_most for each in self.instance.limits.all()}
        for each_person, measure in LIMITS:
            name = limit_name(each_person, measure)
            self.initial.setdefault(name, stored.get((each_person, measure.value)))

    def save_limits(self, grant: KeyGrant) -> None:
        """Bring the limits to what was chosen. What was used of one that stays is not forgotten."""
        for each_person, measure in LIMITS:
            rows: dict[str, Any] = {"grant": grant, "each_person": each_person, "measure": measure}
            at_most = self.cleaned_data[limit_name(each_person, measure)]
            if at_most is None:
                Limit.objects.filter(**rows).delete()
            else:
                Limit.objects.update_or_create(**rows, defaults={"at_most": at_most})


# Eight fields that differ in their measure alone; ModelForm gathers them like written ones.
for _each_person, _measure in LIMITS:
    KeyGrantForm.base_fields[limit_name(_each_person, _measure)] = LimitField(_measure)
    KeyGrantForm.declared_fields[limit_name(_each_person, _measure)] = LimitField(_measure)
