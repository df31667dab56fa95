"""The rows behind limits: how much may be used, how much has been, and what running answers have reserved of it.

``windows`` says when each begins anew and ``quota`` moves the sums; nothing else writes tallies and reservations.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q

from chat.accounts.models import User
from chat.keys.models import KeyGrant


class Measure(models.TextChoices):
    """What is counted and over which time: minutes, days and months of the clock in the site's time zone."""

    REQUESTS_PER_MINUTE = "requests_minute", "requests a minute"
    TOKENS_PER_DAY = "tokens_day", "tokens a day"
    MONEY_PER_DAY = "money_day", "US dollars a day"
    MONEY_PER_MONTH = "money_month", "US dollars a month"

    @property
    def is_money(self) -> bool:
        return self in (Measure.MONEY_PER_DAY, Measure.MONEY_PER_MONTH)


class LimitQuerySet(models.QuerySet["Limit"]):
    def over(self, grant_ids: Iterable[int], person: User) -> "LimitQuerySet":
        """Those of some grants, and those that the person set for themselves."""
        return self.filter(Q(grant__in=list(grant_ids)) | Q(owner=person)).order_by("pk")


class Limit(models.Model):
    """At most so much: of a grant, for each person under it or for all together; or of a person, by themselves.

    Where there is no row there is no limit. ``at_most`` counts in what the measure counts; nothing at all is blocked.
    """

    grant = models.ForeignKey(KeyGrant, null=True, blank=True, on_delete=models.CASCADE, related_name="limits")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="own_limits",
        help_text="Who set it for themselves, over all keys they use.",
    )
    each_person = models.BooleanField(default=True, help_text="For each person alone, not for all together.")
    measure = models.CharField(max_length=20, choices=Measure.choices)
    at_most = models.DecimalField(max_digits=16, decimal_places=4)

    objects = LimitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(grant__isnull=False, owner__isnull=True)
                | Q(grant__isnull=True, owner__isnull=False, each_person=True),
                name="limit_of_a_grant_or_a_person",
            ),
            models.CheckConstraint(condition=Q(at_most__gte=0), name="limit_is_not_negative"),
            models.UniqueConstraint(fields=["grant", "each_person", "measure"], name="one_limit_per_measure"),
            models.UniqueConstraint(fields=["owner", "measure"], name="one_own_limit_per_measure"),
        ]

    def __str__(self) -> str:
        return f"{self.at_most:f} {self.get_measure_display()}"

    @property
    def kind(self) -> Measure:
        return Measure(self.measure)

    @property
    def blocks(self) -> bool:
        return self.at_most == 0


class TallyQuerySet(models.QuerySet["Tally"]):
    def of(self, limits: Iterable[Limit], person: User) -> "TallyQuerySet":
        """Where what this person does counts: their own sums, and those of all together."""
        return self.filter(Q(person=person) | Q(person__isnull=True), limit__in=[limit.pk for limit in limits])

    def begin(self, limits: Iterable[Limit], person: User, now: datetime) -> None:
        """Make the rows that nobody needed so far; who makes them at the same moment makes the same."""
        rows = [Tally(limit=each, person=person if each.each_person else None, window_start=now) for each in limits]
        self.bulk_create(sorted(rows, key=lambda row: row.limit_id), ignore_conflicts=True)

    def held(self) -> "TallyQuerySet":
        """For this transaction alone, in the order in which everybody holds them. SQLite has one writer anyway."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class Tally(models.Model):
    """How much of a limit is used and reserved in the window that began at ``window_start``; ``person`` where each
    has their own."""

    limit = models.ForeignKey(Limit, on_delete=models.CASCADE, related_name="tallies")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    window_start = models.DateTimeField()
    used = models.DecimalField(max_digits=20, decimal_places=8, default=Decimal(0))
    reserved = models.DecimalField(max_digits=20, decimal_places=8, default=Decimal(0))

    objects = TallyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["limit", "person"], condition=Q(person__isnull=False), name="one_tally_per_person"
            ),
            models.UniqueConstraint(fields=["limit"], condition=Q(person__isnull=True), name="one_tally_together"),
        ]
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"{self.used:f} used, {self.reserved:f} reserved"

    @property
    def taken(self) -> Decimal:
        """Used or reserved."""
        return self.used + self.reserved


class Reservation(models.Model):
    """What a run that has not ended may still take of a tally, in the window in which it was admitted."""

    run_id = models.BigIntegerField(help_text="The run; it is not ours to know.")
    tally = models.ForeignKey(Tally, on_delete=models.CASCADE, related_name="reservations")
    window_start = models.DateTimeField()
    amount = models.DecimalField(max_digits=20, decimal_places=8)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run_id", "tally"], name="one_reservation_per_tally")]

    def __str__(self) -> str:
        return f"{self.amount:f} for run {self.run_id}"
