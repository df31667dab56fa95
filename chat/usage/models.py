"""What people use: what each answer cost, kept after it is deleted and without a word of it, its sums for each day, and
how much is stored.

The sums are kept beside the records in the same transaction (``metering``), so that nobody has to read millions of
records to know a month. Money in sums is counted in whole billionths of a dollar, which every database adds exactly.
"""

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils import timezone


class UsageRecord(models.Model):
    """Tokens and money of one run: the ledger. ``cost`` is US dollars, None where no price was known.

    ``day`` is the day of ``at`` in the site's time zone when it was recorded; None: not in the sums yet.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="usage_records"
    )
    run_id = models.BigIntegerField(unique=True, help_text="The run, which may be gone.")
    at = models.DateTimeField(default=timezone.now)
    day = models.DateField(null=True)
    model_id = models.CharField(max_length=300)
    provider = models.CharField(max_length=60, blank=True)
    key_ref = models.CharField("key", max_length=40, blank=True, default="", db_default="")
    key_label = models.CharField(max_length=80, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    failed = models.BooleanField(default=False)
    first_token_seconds = models.FloatField(null=True)
    estimated = models.BooleanField(
        default=False, db_default=False, help_text="The provider did not say how many tokens it were."
    )

    class Meta:
        indexes = [
            models.Index(fields=["user", "at"], name="usage_of_a_person"),
            models.Index(fields=["day"], name="usage_of_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} at {self.at:%Y-%m-%d %H:%M}"


class DailyUse(models.Model):
    """The sums of one day for one person, key, model and provider. ``estimated`` counts requests, as all but tokens
    and money do; the person is None once the account is gone."""

    day = models.DateField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="daily_use")
    key_ref = models.CharField("key", max_length=40, blank=True)
    key_label = models.CharField("key", max_length=80, blank=True, help_text="As it was called last.")
    model_id = models.CharField("model", max_length=300)
    provider = models.CharField(max_length=60, blank=True)
    requests = models.PositiveIntegerField()
    failures = models.PositiveIntegerField("failed")
    unpriced = models.PositiveIntegerField(help_text="Without a known price, and not failed.")
    estimated = models.PositiveIntegerField(help_text="Whose tokens the provider did not say.")
    tokens_in = models.PositiveBigIntegerField()
    tokens_out = models.PositiveBigIntegerField()
    nanodollars = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = verbose_name_plural = "use by day"
        indexes = [models.Index(fields=["user", "day"], name="days_of_a_person")]
        constraints = [
            models.UniqueConstraint(
                fields=["day", "user", "key_ref", "model_id", "provider"], name="one_sum_a_day_of_its_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model_id} on {self.day}"

    @property
    def spent(self) -> Decimal:
        """US dollars."""
        return Decimal(self.nanodollars).scaleb(-9)


class DailyWait(models.Model):
    """How many of a day's requests waited so long for their first token; ``bucket`` is one of ``waits``."""

    daily_use = models.ForeignKey(DailyUse, on_delete=models.CASCADE, related_name="waits", db_index=False)
    bucket = models.PositiveSmallIntegerField()
    requests = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["daily_use", "bucket"], name="one_count_for_each_bucket")]

    def __str__(self) -> str:
        return f"{self.requests} in bucket {self.bucket}"


class StoredText(models.Model):
    """How much of one person's text is stored, in bytes; ``storage`` moves it. No row: nobody has counted yet."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="stored_text"
    )
    bytes = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "stored text"

    def __str__(self) -> str:
        return f"{self.bytes / 1_000_000:.1f} MB of {self.user}"
