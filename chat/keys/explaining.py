"""Explains to an administrator whether a person may ask a model: by which rule, and what is left of each limit."""

from dataclasses import dataclass

from django import forms

from chat.accounts.models import User
from chat.catalogue.choices import UnusableChoice, parse_choice
from chat.catalogue.models import Endpoint, ModelChoice, offers_of
from chat.keys.choose import KeyChoice, usable_keys
from chat.keys.errors import NotGranted
from chat.keys.limits import Limit
from chat.keys.models import KeyGrant, SharedKey
from chat.keys.scope import route
from chat.keys.standing import Standing, standings, standings_of


@dataclass(frozen=True)
class Rule:
    """One way to pay, or why it is none. ``choice`` is what is asked then."""

    key: str
    holder: str
    refusal: str
    choice: str
    standings: list[Standing]

    @property
    def used_up(self) -> bool:
        return any(standing.left <= 0 for standing in self.standings)

    @property
    def may(self) -> bool:
        return not self.refusal and not self.used_up


@dataclass(frozen=True)
class Explanation:
    """The answer in a word and a sentence, and every rule that bears on it, in the order in which they are tried."""

    may: bool
    sentence: str
    rules: list[Rule]


class ExplainForm(forms.Form):
    """Who, and which model."""

    person = forms.ModelChoiceField(User.objects.order_by("username"), empty_label=None)
    model = forms.CharField(max_length=600, help_text="org/name, org/name:provider or endpoint@model")

    def clean_model(self) -> ModelChoice:
        try:
            return parse_choice(self.cleaned_data["model"])
        except UnusableChoice as error:
            raise forms.ValidationError(str(error)) from error


def explain(person: User, model: ModelChoice) -> Explanation:
    """Say whether ``person`` may ask ``model`` now."""
    endpoint = Endpoint.objects.filter(pk=model.endpoint_id or 0).first()
    if endpoint is None:
        return Explanation(False, f"No: nothing here lists {model.wire_id}.", [])
    if not person.is_active:
        return Explanation(False, f"No: the account of {person} is switched off.", [])
    if not endpoint.needs_key:
        return Explanation(True, f"Yes: {endpoint.label} needs no key.", [])
    own = list(standings(Limit.objects.filter(owner=person), person).values())
    rules = [rule for key in usable_keys(person, endpoint) for rule in _rules(key, endpoint, model, person, own)]
    rules += _out_of_use(person, endpoint, {rule.key for rule in rules})
    first = next((rule for rule in rules if rule.may), None)
    if first is not None:
        through = f"through {first.holder}" if first.holder else "with a key of their own"
        left = " ".join(standing.sentence for standing in first.standings)
        return Explanation(True, f"Yes, {through}: {first.key}. {left}".strip(), rules)
    if not rules:
        return Explanation(False, f"No: no key for {endpoint.label} is theirs or granted to them.", [])
    return Explanation(False, "No: none of these rules has room for it.", rules)


def _rules(key: KeyChoice, endpoint: Endpoint, model: ModelChoice, person: User, own: list[Standing]) -> list[Rule]:
    if not key.grants:
        return [Rule(key.display, "", "", model.wire_id, own)]
    found, offers = standings_of(key.grants, person), offers_of([model])
    rules = []
    for grant in key.grants:
        try:
            choice, refusal = route(grant, endpoint, model, offers).choice.wire_id, ""
        except NotGranted as error:
            choice, refusal = "", str(error)
        rules.append(Rule(key.display, grant.holder, refusal, choice, [*found[grant.pk], *own]))
    return rules


def _out_of_use(person: User, endpoint: Endpoint, known: set[str]) -> list[Rule]:
    """Shared keys for this endpoint that do not come into it, and why."""
    rules = []
    for key in SharedKey.objects.filter(endpoint=endpoint).select_related("endpoint"):
        if key.display in known:
            continue
        granted = KeyGrant.objects.covering(person).filter(shared_key=key).exists()
        if not key.enabled:
            why = "It is switched off."
        elif not granted:
            why = "It is not granted to them, or no longer."
        else:
            why = "It is out of credit, or held back until its address is confirmed."
        rules.append(Rule(key.display, "", why, "", []))
    return rules
