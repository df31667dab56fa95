"""Puts limits into words: what keeps an answer from beginning, when that changes, and what to do meanwhile."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils import timezone

from chat.keys.limits import Limit, Measure, Tally

NEVER_MIND = "Use a key of your own, or ask for more on the page of your keys."


@dataclass(frozen=True)
class Shortage:
    """A limit without room. ``amount`` is what was wanted of it, in what it counts; ``key`` how people see the key."""

    limit: Limit
    key: str
    tally: Tally
    amount: Decimal
    resets_at: datetime

    @property
    def sentence(self) -> str:
        """Which limit, when it begins anew, and what to do."""
        if self.limit.owner_id is not None:
            return f"{self._used_up()} {resets(self.limit.kind, self.resets_at)} You set it yourself, under Usage."
        if self.limit.blocks:
            return f"{self.key} is blocked {'for you' if self.limit.each_person else 'for now'}. {NEVER_MIND}"
        if self.limit.kind == Measure.REQUESTS_PER_MINUTE:
            return f"{self._asked_too_often()} {resets(self.limit.kind, self.resets_at)}"
        hint = "" if self._left <= 0 else "Lower max tokens. "
        return f"{self._used_up()} {resets(self.limit.kind, self.resets_at)} {hint}{NEVER_MIND}"

    @property
    def _left(self) -> Decimal:
        return self.limit.at_most - self.tally.taken

    @property
    def _where(self) -> str:
        return "of your own limit" if self.limit.owner_id is not None else f"on {self.key}"

    def _asked_too_often(self) -> str:
        who = "You have" if self.limit.each_person else "All together have"
        return f"{who} asked {_times(self.limit.at_most)} in this minute on {self.key}, as often as it allows."

    def _used_up(self) -> str:
        kind, at_most = self.limit.kind, self.limit.at_most
        whole = f"{period(kind)} {quantity(kind, at_most)}"
        verb = "cost" if kind.is_money else "take"
        if self.amount > at_most:
            return f"This can {verb} up to {quantity(kind, self.amount)}, more than {whole} {self._where}."
        if self._left > 0:
            left = quantity(kind, self._left)
            return f"This can {verb} up to {quantity(kind, self.amount)}, and {left} of {whole} {self._where} are left."
        if self.tally.used < at_most:
            return f"What is left of {whole} {self._where} is kept for answers under way."
        who = "You have" if self.limit.each_person else "All together have"
        return f"{who} used {whole} {self._where}."


def quantity(measure: Measure, amount: Decimal) -> str:
    """``$0.50``, ``8,192 tokens``, ``20 requests``"""
    if measure.is_money:
        # Cents, and as much below them as there is to tell.
        exact = f"{amount:.4f}".rstrip("0")
        whole, _, part = exact.partition(".")
        return f"${intcomma(int(whole))}.{part.ljust(2, '0')}" if part else f"${intcomma(int(whole))}"
    unit = "request" if measure == Measure.REQUESTS_PER_MINUTE else "token"
    return f"{intcomma(int(amount))} {unit}{'' if amount == 1 else 's'}"


def period(measure: Measure) -> str:
    """Whose amount it is: ``today's``, ``this month's``, ``this minute's``"""
    if measure == Measure.REQUESTS_PER_MINUTE:
        return "this minute's"
    return "this month's" if measure == Measure.MONEY_PER_MONTH else "today's"


def resets(measure: Measure, at: datetime) -> str:
    """``It resets at 00:00 (Vienna).``"""
    if measure == Measure.REQUESTS_PER_MINUTE:
        seconds = max(1, round((at - timezone.now()).total_seconds()))
        return f"Try again in {seconds} second{'' if seconds == 1 else 's'}."
    zone = timezone.get_default_timezone()
    there = timezone.localtime(at, zone)
    place = timezone.get_default_timezone_name().rpartition("/")[2].replace("_", " ")
    on = f"on {there.day} {there:%B}" if measure == Measure.MONEY_PER_MONTH else ""
    return f"It resets {on or 'at ' + f'{there:%H:%M}'} ({place})."


def _times(amount: Decimal) -> str:
    return "once" if amount == 1 else f"{intcomma(int(amount))} times"
