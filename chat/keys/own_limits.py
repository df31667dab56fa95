"""Limits that people set for themselves, over all keys they use: never more than others allow them, often less."""

from collections.abc import Mapping
from typing import Any

from django import forms

from chat.accounts.models import User
from chat.keys.grant_form import AT_MOST, NO_LIMIT, LimitField
from chat.keys.limits import Limit, Measure
from chat.keys.standing import Standing, standings

MEASURES = (Measure.MONEY_PER_DAY, Measure.TOKENS_PER_DAY)


class OwnLimitsForm(forms.Form):
    """Two choices, each of two: a person who wants nothing to be sent need not send."""

    money_day = LimitField(Measure.MONEY_PER_DAY, (NO_LIMIT, AT_MOST))
    tokens_day = LimitField(Measure.TOKENS_PER_DAY, (NO_LIMIT, AT_MOST))

    def __init__(self, person: User, data: Mapping[str, Any] | None = None) -> None:
        stored = {limit.measure: limit.at_most for limit in Limit.objects.filter(owner=person)}
        super().__init__(data, initial={measure.value: stored.get(measure.value) for measure in MEASURES})


def set_own_limits(person: User, form: OwnLimitsForm) -> None:
    """Bring the limits to what a valid form says; what was used of those that stay counts on."""
    for measure in MEASURES:
        at_most = form.cleaned_data[measure.value]
        if at_most is None:
            Limit.objects.filter(owner=person, measure=measure).delete()
        else:
            Limit.objects.update_or_create(owner=person, measure=measure, defaults={"at_most": at_most})


def own_standings(person: User) -> list[Standing]:
    """How a person's own limits stand."""
    return list(standings(Limit.objects.filter(owner=person).order_by("pk"), person).values())
