"""One thing that administrators should know, until it is settled, dismissed or out of date."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from chat.accounts.models import User

SENTENCE_LIMIT = 500


class NoticeQuerySet(models.QuerySet["Notice"]):
    def shown_to(self, user: User) -> "NoticeQuerySet":
        """What this person is still to be told, the newest first; nothing for who administers nothing."""
        if not (user.is_active and user.is_staff and user.has_perm("chat.view_notice")):
            return self.none()
        current = Q(until=None) | Q(until__gt=timezone.now())
        return self.filter(current, settled_at=None).exclude(dismissed_by=user).order_by("-created_at", "-pk")


class Notice(models.Model):
    """``subject`` names what it is about for the code, such as ``shared:12``; people read ``sentence``."""

    class Kind(models.TextChoices):
        KEY_DIED = "key_died", "A key died"
        BUDGET = "budget", "A budget is nearly used up"
        REQUEST = "request", "Somebody asks for more"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    subject = models.CharField(max_length=200)
    sentence = models.CharField(max_length=SENTENCE_LIMIT)
    address = models.CharField(max_length=300, blank=True, help_text="The page of this site where one can act on it.")
    created_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True, help_text="From then on it is of no interest.")
    settled_at = models.DateTimeField(null=True, blank=True)
    dismissed_by = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+", blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(settled_at=None), name="told_once_until_settled"
            )
        ]

    def __str__(self) -> str:
        return self.sentence


class Delivery(models.Model):
    """A notice on its way to administrators who are not looking at a page; tried until it arrives, or too often."""

    class Channel(models.TextChoices):
        MAIL = "mail", "Mail"
        WEBHOOK = "webhook", "Webhook"

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=10, choices=Channel.choices)
    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, help_text="Arrived, or given up.")
    trouble = models.CharField(max_length=200, blank=True, help_text="Why the last try failed.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "channel"], name="one_delivery_per_channel")]
        indexes = [models.Index(fields=["due_at"], condition=Q(finished_at=None), name="deliveries_under_way")]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.notice}"

    @property
    def state(self) -> str:
        return self.trouble or ("sent" if self.finished_at else "on its way")
