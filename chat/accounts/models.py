"""Who uses the playground: the user with their preferences, and the links that let one in.

Links are stored as hashes, so that a copy of the database opens no session. Sessions, passwords and
throttling belong to django-allauth; the verbs that make and spend links are in ``actions``.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractUser, Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone


class User(AbstractUser):
    """A person. The preferences are those of the settings page."""

    class Theme(models.TextChoices):
        SYSTEM = "", "Like the system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.SYSTEM, blank=True)
    enter_sends = models.BooleanField(default=True, help_text="Otherwise Ctrl+Enter sends.")
    default_model = models.CharField(
        max_length=300, blank=True, help_text="As typed into the model picker; empty lets the playground choose."
    )
    last_model = models.CharField(
        max_length=300, blank=True, help_text="What was chosen last; the next chat starts so."
    )
    default_system_prompt = models.TextField(blank=True)
    default_parameters: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict, blank=True)
    session_generation = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raising it ends every session of this person."
    )

    def get_session_auth_hash(self) -> str:
        """What a session must carry to count: it changes with the password and with ``session_generation``."""
        return f"{super().get_session_auth_hash()}:{self.session_generation}"

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for earlier in super().get_session_auth_fallback_hash():
            yield f"{earlier}:{self.session_generation}"


class OneTimeLink(models.Model):
    """A secret in a URL that works once and until ``expires_at``; only its SHA-256 is kept."""

    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def usable(self, now: datetime | None = None) -> bool:
        return self.used_at is None and self.expires_at > (now or timezone.now())


class SignInLink(OneTimeLink):
    """Signs one existing person in."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="signin_links")

    def __str__(self) -> str:
        return f"Sign-in link for {self.user}"


class Invitation(OneTimeLink):
    """Lets new people make an account, as many as it has ``places``; used up by the last of them."""

    label = models.CharField(max_length=100, blank=True, help_text="For whom, as a reminder to yourself.")
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="invitations_made")
    used_by = models.ForeignKey(
        User, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )

    places = models.PositiveSmallIntegerField(
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="How many people may come by this link.",
    )
    taken = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    group = models.ForeignKey(
        Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", help_text="Which they will be in."
    )

    def __str__(self) -> str:
        return self.label or f"Invitation {self.pk}"
