"""The shared keys that a person may use, with what is left of each limit: what ``/keys/`` shows."""

from dataclasses import dataclass
from decimal import Decimal

from chat.accounts.models import User
from chat.keys.choose import KeyChoice
from chat.keys.limits import Limit, Measure
from chat.keys.models import ANYTHING, KeyGrant, SharedKey
from chat.keys.scope import patterns
from chat.keys.standing import Standing, standings, standings_of


@dataclass(frozen=True)
class Share:
    """What one grant lets the person use. Patterns are empty where everything is allowed."""

    models: tuple[str, ...]
    providers: tuple[str, ...]
    until: object
    standings: list[Standing]


@dataclass(frozen=True)
class SharedWith:
    """A shared key and the person's shares of it."""

    key: SharedKey
    shares: list[Share]


def shared_with(person: User) -> list[SharedWith]:
    """All shared keys that are granted to a person, by their names."""
    grants = list(
        KeyGrant.objects.covering(person)
        .filter(shared_key__enabled=True)
        .select_related("shared_key__endpoint")
        .defer("shared_key__sealed")
        .order_by("shared_key__label", "shared_key", "pk")
    )
    found = standings_of(grants, person)
    by_key: dict[int, SharedWith] = {}
    for grant in grants:
        of_key = by_key.setdefault(grant.shared_key_id, SharedWith(grant.shared_key, []))
        of_key.shares.append(
            Share(_named(grant.model_patterns), _named(grant.provider_patterns), grant.expires_at, found[grant.pk])
        )
    return list(by_key.values())


def money_left_today(key: KeyChoice, person: User) -> Decimal | None:
    """US dollars that a person may still spend today with a key; None where no day is limited.

    The most that one of its grants leaves, and no more than they allow themselves.
    """
    per_day = {"measure": Measure.MONEY_PER_DAY}
    amounts = []
    if key.grants and key.limited.issuperset(grant.pk for grant in key.grants):
        limits = Limit.objects.filter(grant__in=[grant.pk for grant in key.grants], **per_day)
        found = standings(limits, person).values()
        of_grant = [[each.left for each in found if each.limit.grant_id == grant.pk] for grant in key.grants]
        if all(of_grant):
            amounts.append(max(min(left) for left in of_grant))
    if key.capped:
        own = standings(Limit.objects.filter(owner=person, **per_day), person).values()
        amounts += [each.left for each in own]
    return min(amounts, default=None)


def _named(text: str) -> tuple[str, ...]:
    return () if ANYTHING in patterns(text) else patterns(text)
