"""Reserve, then settle: every answer takes its worst case from all limits it falls under before it may begin.

``admit`` reserves, ``settle`` puts what was really used in its place however the answer ended, ``move`` carries a
reservation over to another key. Each holds the tallies it touches in the order of their ids until its transaction
ends, so that whoever comes at the same moment sees what is left, and no two wait for each other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_UP, Decimal

from django.db import transaction
from django.utils import timezone

from chat.accounts.models import User
from chat.keys.budgets import tell_of_budget
from chat.keys.errors import QuotaReached
from chat.keys.limits import Limit, Measure, Reservation, Tally
from chat.keys.models import KeyGrant
from chat.keys.sentences import Shortage
from chat.keys.windows import window

# As exact as tallies are.
SMALLEST = Decimal("0.00000001")


@dataclass(frozen=True)
class Amounts:
    """What one answer takes, at worst or in fact. ``money`` is in US dollars."""

    tokens: int
    money: Decimal
    requests: int = 1

    def of(self, measure: Measure) -> Decimal:
        if measure.is_money:
            return self.money.quantize(SMALLEST, ROUND_UP)
        return Decimal(self.requests if measure == Measure.REQUESTS_PER_MINUTE else self.tokens)


@dataclass(frozen=True)
class Option:
    """One way to pay for an answer: under this grant, or with a key of one's own (None). ``key`` is how people see
    it; ``limited`` tells whether any limit applies, the person's own among them."""

    key: str
    grant: KeyGrant | None
    worst: Amounts
    limited: bool


@dataclass(frozen=True)
class Ask:
    """One answer that wants to begin, and its ways to be paid for, the first choice first."""

    run_id: int
    options: tuple[Option, ...]


def admit(person: User, asks: Sequence[Ask]) -> dict[int, Option]:
    """Reserve for all of ``asks`` or for none; returns for each run the first of its options that had room.

    Call it inside the transaction that queues the runs. Raises ``QuotaReached``. Without limits it asks nothing.
    """
    if not any(option.limited for ask in asks for option in ask.options):
        return {ask.run_id: ask.options[0] for ask in asks}
    book = _Book.open(person, [option for ask in asks for option in ask.options])
    chosen = {ask.run_id: _first_with_room(book, ask) for ask in asks}
    book.write()
    return chosen


def settle(run_id: int, used: Amounts) -> None:
    """Count what a run really used in place of what it had reserved, in full even where that is more.

    It counts in the window in which the run was admitted; one that has passed needs no sum any more.
    """
    with transaction.atomic():
        held = _held(run_id)
        for reservation in held:
            tally = reservation.tally
            if tally.window_start == reservation.window_start:
                tally.reserved -= reservation.amount
                before, tally.used = tally.used, tally.used + used.of(tally.limit.kind)
                tell_of_budget(tally, before)
        _release(held)


def move(person: User, run_id: int, options: Sequence[Option]) -> Option:
    """Give back what a run has reserved and reserve under the first of ``options`` that has room.

    For another key that is to answer in the place of one that failed, before the first token: nothing was used. Raises
    ``QuotaReached``, leaving the reservation as it was.
    """
    with transaction.atomic():
        held_ids = Reservation.objects.filter(run_id=run_id).values_list("tally_id", flat=True)
        book = _Book.open(person, options, also=held_ids)
        for reservation in Reservation.objects.filter(run_id=run_id):
            book.give_back(reservation)
        chosen = _first_with_room(book, Ask(run_id, tuple(options)))
        Reservation.objects.filter(run_id=run_id).delete()
        book.write()
    return chosen


class _Book:
    """The limits that some options fall under, with their tallies held, and what is being reserved of them."""

    def __init__(self, now: datetime, limits: Iterable[Limit], tallies: Iterable[Tally]) -> None:
        self._now = now
        self._tallies = {tally.limit_id: tally for tally in tallies}
        self._all = {tally.pk: tally for tally in self._tallies.values()}
        self._of_grant: dict[int | None, list[Limit]] = {}
        for limit in limits:
            self._of_grant.setdefault(limit.grant_id, []).append(limit)
        self._new: list[Reservation] = []

    @classmethod
    def open(cls, person: User, options: Iterable[Option], also: Iterable[int] = ()) -> "_Book":
        """Hold the tallies of all limits of these options, and those of ``also``, until the transaction ends."""
        now = timezone.now()
        grants = {option.grant.pk for option in options if option.grant is not None and option.limited}
        limits = list(Limit.objects.over(grants, person))
        tallies = Tally.objects.of(limits, person)
        missing = {limit.pk for limit in limits} - set(tallies.values_list("limit_id", flat=True))
        if missing:
            Tally.objects.begin([limit for limit in limits if limit.pk in missing], person, now)
        wanted = [*tallies.values_list("pk", flat=True), *also]
        held = list(Tally.objects.filter(pk__in=wanted).held())
        book = cls(now, limits, (tally for tally in held if tally.limit_id in {limit.pk for limit in limits}))
        book._all |= {tally.pk: tally for tally in held}
        return book

    def shortage(self, option: Option) -> Shortage | None:
        """What keeps an option from being taken: the first limit that has no room for its worst case."""
        for limit in self._limits(option):
            tally = self._current(limit)
            amount = option.worst.of(limit.kind)
            # What costs nothing takes nothing, however much was spent before.
            if limit.blocks or (amount and tally.taken + amount > limit.at_most):
                resets_at = window(limit.kind, tally.window_start)[1]
                return Shortage(limit, option.key, tally, amount, resets_at)
        return None

    def reserve(self, run_id: int, option: Option) -> None:
        for limit in self._limits(option):
            tally, amount = self._current(limit), option.worst.of(limit.kind)
            tally.reserved += amount
            self._new.append(Reservation(run_id=run_id, tally=tally, window_start=tally.window_start, amount=amount))

    def give_back(self, reservation: Reservation) -> None:
        tally = self._all[reservation.tally_id]
        if tally.window_start == reservation.window_start:
            tally.reserved -= reservation.amount

    def write(self) -> None:
        Tally.objects.bulk_update(self._all.values(), ["window_start", "used", "reserved"])
        Reservation.objects.bulk_create(self._new)

    def _limits(self, option: Option) -> list[Limit]:
        own = self._of_grant.get(None, [])
        return [*self._of_grant.get(option.grant.pk, []), *own] if option.grant is not None else own

    def _current(self, limit: Limit) -> Tally:
        """The tally of a limit, begun anew where its window has passed. A clock that is behind turns nothing back."""
        tally = self._tallies[limit.pk]
        start, _ = window(limit.kind, self._now)
        if tally.window_start < start:
            tally.window_start, tally.used, tally.reserved = start, Decimal(0), Decimal(0)
        return tally


def _first_with_room(book: _Book, ask: Ask) -> Option:
    shortages = []
    for option in ask.options:
        shortage = book.shortage(option)
        if shortage is None:
            book.reserve(ask.run_id, option)
            return option
        shortages.append(shortage)
    # What was wanted first is what the person hears of.
    raise QuotaReached(shortages[0].sentence)


def _held(run_id: int) -> list[Reservation]:
    """What a run has reserved, held with its tallies; whoever else settles it finds nothing afterwards."""
    reservations = Reservation.objects.filter(run_id=run_id).select_related("tally__limit")
    return list(reservations.select_for_update(of=("self", "tally")).order_by("tally_id"))


def _release(held: list[Reservation]) -> None:
    if held:
        Tally.objects.bulk_update([reservation.tally for reservation in held], ["used", "reserved"])
        Reservation.objects.filter(pk__in=[reservation.pk for reservation in held]).delete()
