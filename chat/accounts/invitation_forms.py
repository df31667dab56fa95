"""Invitations in Django admin: one link for a number of people, or a pasted list of people with a link for each."""

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q, QuerySet
from django.utils import timezone

from chat.accounts.models import Invitation, User

MOST_LINES = 500
LABEL_LIMIT = 100


def groups_for(inviter: User) -> QuerySet[Group]:
    """The groups somebody may invite into: others than administrators give no rights away that a group has."""
    groups = Group.objects.order_by("name")
    return groups if inviter.is_superuser else groups.filter(permissions=None)


class ManyInvitationsForm(forms.Form):
    """A line for each person; all that is wrong is said at once, by the number of its line."""

    people = forms.CharField(
        label="For whom",
        widget=forms.Textarea(attrs={"rows": 12, "class": "vLargeTextField"}),
        help_text="One name or email address per line. Each gets a link of their own, which works once.",
    )
    group = forms.ModelChoiceField(queryset=Group.objects.none(), required=False, help_text="Which they will be in.")
    days = forms.IntegerField(label="Works for days", min_value=1, max_value=90, initial=7)

    def __init__(self, inviter: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        group = self.fields["group"]
        assert isinstance(group, forms.ModelChoiceField)
        group.queryset = groups_for(inviter)

    def clean_people(self) -> list[str]:
        lines = [(number, line.strip()) for number, line in enumerate(self.cleaned_data["people"].splitlines(), 1)]
        people = [(number, line) for number, line in lines if line]
        if len(people) > MOST_LINES:
            raise ValidationError(f"At most {MOST_LINES} lines at once; these are {len(people)}.")
        known = _known({line.lower() for _, line in people})
        seen: dict[str, int] = {}
        problems = []
        for number, line in people:
            problem = _problem(line, known, seen.get(line.lower(), 0))
            seen.setdefault(line.lower(), number)
            if problem:
                problems.append(ValidationError(f"Line {number}: {problem}"))
        if problems:
            raise ValidationError(problems)
        return [line for _, line in people]


def _known(people: set[str]) -> dict[str, str]:
    """Why some of these need no invitation, by their name in small letters."""
    known = {}
    invited = Invitation.objects.filter(used_at=None, expires_at__gt=timezone.now()).values_list("label", flat=True)
    for label in invited:
        known[label.lower()] = "has an open invitation already."
    for username, email in User.objects.exclude(Q(username="") & Q(email="")).values_list("username", "email"):
        for name in (username.lower(), email.lower()):
            known[name] = "has an account already."
    return {name: why for name, why in known.items() if name in people}


def _problem(line: str, known: dict[str, str], first: int) -> str:
    if len(line) > LABEL_LIMIT:
        return f"longer than {LABEL_LIMIT} characters."
    if first:
        return f"the same as line {first}."
    if "@" in line:
        try:
            validate_email(line)
        except ValidationError:
            return f"“{line}” is not an email address."
    return f"“{line}” {known[line.lower()]}" if line.lower() in known else ""
