"""How limits stand: what of each is left, and when it begins anew. Reads tallies and changes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from chat.accounts.models import User
from chat.keys.limits import Limit, Measure, Tally
from chat.keys.models import KeyGrant
from chat.keys.sentences import period, quantity, resets
from chat.keys.windows import window


@dataclass(frozen=True)
class Standing:
    """One limit now. ``taken`` is used or kept for running answers, in what the limit counts."""

    limit: Limit
    taken: Decimal
    resets_at: datetime

    @property
    def left(self) -> Decimal:
        return max(Decimal(0), self.limit.at_most - self.taken)

    @property
    def percent(self) -> int:
        """How much is taken of it; all, where it blocks."""
        return 100 if self.limit.blocks else min(100, int(100 * self.taken / self.limit.at_most))

    @property
    def sentence(self) -> str:
        """``$0.38 of today's $0.50 left. It resets at 00:00 (Vienna).``"""
        if self.limit.blocks:
            return "Blocked."
        kind = self.limit.kind
        # So much is there once a minute, and nobody reads for as long.
        end = "" if kind == Measure.REQUESTS_PER_MINUTE else f" {resets(kind, self.resets_at)}"
        together = "" if self.limit.each_person else " for all together"
        left = quantity(kind, self.left)
        return f"{left} of {period(kind)} {quantity(kind, self.limit.at_most)} left{together}.{end}"

    @property
    def words(self) -> str:
        """``$0.50 a day``"""
        return words_of(self.limit)


def standings(limits: Iterable[Limit], person: User | None) -> dict[int, Standing]:
    """How each limit stands by its id: for ``person``, or without one for whoever has taken most of it."""
    limits, now = list(limits), timezone.now()
    tallies = Tally.objects.filter(limit__in=limits)
    if person is not None:
        tallies = Tally.objects.of(limits, person)
    taken: dict[int, Decimal] = {}
    starts = {limit.pk: window(limit.kind, now) for limit in limits}
    for tally in tallies:
        if tally.window_start >= starts[tally.limit_id][0]:
            taken[tally.limit_id] = max(taken.get(tally.limit_id, Decimal(0)), tally.taken)
    return {each.pk: Standing(each, taken.get(each.pk, Decimal(0)), starts[each.pk][1]) for each in limits}


def standings_of(grants: Iterable[KeyGrant], person: User | None) -> dict[int, list[Standing]]:
    """How the limits of some grants stand, by the grant's id, those of each person first."""
    grants = list(grants)
    limits = list(Limit.objects.filter(grant__in=grants).order_by("-each_person", "pk"))
    found = standings(limits, person)
    return {grant.pk: [found[limit.pk] for limit in limits if limit.grant_id == grant.pk] for grant in grants}


def words_of(limit: Limit) -> str:
    """``$0.50 a day``, ``20 requests a minute``, ``blocked``"""
    kind = limit.kind
    if limit.blocks:
        return f"{kind.label}: blocked"
    each = {Measure.REQUESTS_PER_MINUTE: "minute", Measure.MONEY_PER_MONTH: "month"}.get(kind, "day")
    return f"{quantity(kind, limit.at_most)} a {each}"
