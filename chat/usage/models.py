"""What people use: what each answer cost, kept after it is deleted and without a word of it, and how much is stored."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class UsageRecord(models.Model):
    """Tokens and money of one run. ``cost`` is US dollars, None where no price was known."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="usage_records"
    )
    run_id = models.BigIntegerField(unique=True, help_text="The run, which may be gone.")
    at = models.DateTimeField(default=timezone.now)
    model_id = models.CharField(max_length=300)
    provider = models.CharField(max_length=60, blank=True)
    key_label = models.CharField(max_length=80, blank=True)
    prompt_tokens = models.PositiveIntegerField(null=True)
    completion_tokens = models.PositiveIntegerField(null=True)
    cost = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    failed = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["user", "at"], name="usage_of_a_person")]

    def __str__(self) -> str:
        return f"{self.model_id} at {self.at:%Y-%m-%d %H:%M}"


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
