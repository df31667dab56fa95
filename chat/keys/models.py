"""Stored credentials. A row holds ciphertext, a label and the last four characters; nothing here can decrypt.

``vault`` seals and opens secrets, ``choose`` decides which key pays, ``actions`` are the verbs.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.models import Endpoint

# The pattern that every name fits.
ANYTHING = "*"


class Key(models.Model):
    """A secret for one endpoint, bound to the host that the endpoint had when the secret was given."""

    class Carried(models.TextChoices):
        BEARER = "bearer", "Bearer token"
        HEADERS = "headers", "Headers of its own"

    label = models.CharField(max_length=60)
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="+")
    host = models.CharField(max_length=255, editable=False)
    scheme = models.CharField(
        max_length=5,
        default="https",
        db_default="https",
        editable=False,
        help_text="Whether the host was asked in clear.",
    )
    carried = models.CharField(
        "sent as", max_length=7, choices=Carried.choices, default=Carried.BEARER, db_default=Carried.BEARER
    )
    sealed = models.TextField(editable=False, help_text="Ciphertext with its encryption key's id; empty where retired.")
    given_at = models.DateTimeField(null=True, editable=False, help_text="When the secret was typed in.")
    last_used_at = models.DateTimeField("last used", null=True, editable=False)
    last_four = models.CharField(max_length=4, blank=True, editable=False, help_text="Empty for short secrets.")
    bill_to = models.CharField(
        max_length=100, blank=True, help_text="Organisation that pays, if not the token's owner."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    check_passed = models.BooleanField(null=True, editable=False)
    check_report = models.TextField(blank=True, editable=False, help_text="What the check found, in words.")
    organisations: models.JSONField[list[str], list[str]] = models.JSONField(
        default=list, editable=False, help_text="Organisations that can be billed, as the check found them."
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.display

    @property
    def display(self) -> str:
        """How people see it: ``Team key …ab12``."""
        return f"{self.label} …{self.last_four}" if self.last_four else self.label

    def belongs_to(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint still is where the secret was given for. From http to https is no other place."""
        return self.host == endpoint.host and self.scheme in (endpoint.scheme, "http")


class PersonalKey(Key):
    """A person's own key."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="personal_keys")


class SharedKeyQuerySet(models.QuerySet["SharedKey"]):
    def granted_to(self, user: User) -> "SharedKeyQuerySet":
        """Enabled keys that this person may use for something, through themselves, a group or everyone."""
        return self.filter(Exists(KeyGrant.objects.covering(user).filter(shared_key=OuterRef("pk"))), enabled=True)

    def not_parked(self) -> "SharedKeyQuerySet":
        """Those whose account has credit, as far as is known."""
        return self.filter(not_parked())

    def in_turn(self) -> "SharedKeyQuerySet":
        """The one to use first at the top: not found failing, not resting, of the highest priority, longest not
        limited."""
        return self.order_by(*turn())


def not_parked(key: str = "") -> Q:
    """The condition that a key's account has credit; ``key`` leads to it from another model."""
    return Q(**{f"{key}parked_until": None}) | Q(**{f"{key}parked_until__lte": timezone.now()})


def turn(key: str = "") -> list[Any]:
    """The order in which shared keys have their turn; ``key`` leads to them from another model."""
    failed = Case(When(**{f"{key}check_passed": False}, then=Value(1)), default=Value(0))
    resting = Case(When(**{f"{key}resting_until__gt": timezone.now()}, then=Value(1)), default=Value(0))
    return [failed, resting, f"{key}priority", F(f"{key}limited_at").asc(nulls_first=True), f"-{key}pk"]


class SharedKey(Key):
    """An administrator's key, used by those it is granted to and readable by nobody."""

    enabled = models.BooleanField(default=True)
    priority = models.PositiveSmallIntegerField(
        default=100, db_default=100, help_text="Of several keys for one endpoint the lowest number is used first."
    )
    fingerprint = models.CharField(max_length=64, blank=True, db_default="", editable=False)
    stopped_because = models.CharField(
        "switched off because", max_length=300, blank=True, db_default="", editable=False
    )
    parked_until = models.DateTimeField(null=True, editable=False, help_text="Its account is out of credit.")
    limited_at = models.DateTimeField(null=True, editable=False, help_text="When the provider last had too much of it.")
    resting_until = models.DateTimeField(null=True, editable=False, help_text="Others go first until then.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL)

    objects = SharedKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"], condition=~Q(fingerprint=""), name="one_shared_key_per_secret"
            )
        ]


class KeyGrantQuerySet(models.QuerySet["KeyGrant"]):
    def current(self) -> "KeyGrantQuerySet":
        """Those that have not expired."""
        return self.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()))

    def covering(self, user: User) -> "KeyGrantQuerySet":
        """Those that let this person use their key now: a right that has expired is none."""
        return self.current().filter(Q(user=user) | Q(group__in=user.groups.all()) | Q(everyone=True))


class KeyGrant(models.Model):
    """Lets a person, a group or everyone use a shared key: for which models, through which providers, until when.

    How much of it they may use is said by its limits (``limits.Limit``); without any it may be used without end.
    """

    shared_key = models.ForeignKey(SharedKey, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE)
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE)
    everyone = models.BooleanField(default=False, db_default=False, help_text="All who have an account here.")
    model_patterns = models.TextField(
        "models",
        default=ANYTHING,
        db_default=ANYTHING,
        help_text="Names of models, one a line; * stands for any letters: Qwen/*. A single * allows all.",
    )
    provider_patterns = models.TextField(
        "providers",
        default=ANYTHING,
        db_default=ANYTHING,
        help_text="Providers behind the router, one a line; fastest, cheapest and auto stay among them.",
    )
    expires_at = models.DateTimeField("until", null=True, blank=True, help_text="Empty for no end.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = KeyGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=False, group__isnull=True, everyone=False)
                | Q(user__isnull=True, group__isnull=False, everyone=False)
                | Q(user__isnull=True, group__isnull=True, everyone=True),
                name="grant_names_a_person_a_group_or_everyone",
                violation_error_message="Name one: a person, a group, or everyone.",
            ),
        ]
        verbose_name = "grant of a shared key"
        verbose_name_plural = "grants of shared keys"

    def __str__(self) -> str:
        return f"{self.shared_key} → {self.holder}"

    @property
    def holder(self) -> str:
        """Whom it names, in words."""
        return "Everyone" if self.everyone else str(self.user or self.group)
