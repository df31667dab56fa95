"""Members ask for more of a shared key; administrators decide. A request is a few words and an answer to them."""

from django import forms
from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from chat.accounts.models import User
from chat.audit.record import Verb, record
from chat.keys.forms import NameField
from chat.keys.models import SharedKey
from chat.notices import actions as notices

# More at once and nobody reads them.
OPEN_REQUESTS = 3
LONGEST = 300


class KeyRequest(models.Model):
    """What somebody asked for, open until it is decided. Without a key it is for any."""

    class Decision(models.TextChoices):
        GRANTED = "granted", "Granted"
        DECLINED = "declined", "Declined"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="key_requests")
    shared_key = models.ForeignKey(SharedKey, null=True, blank=True, on_delete=models.CASCADE, related_name="requests")
    words = models.CharField("asks for", max_length=LONGEST)
    asked_at = models.DateTimeField(default=timezone.now)
    decision = models.CharField(max_length=10, choices=Decision.choices, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = "request for more"
        verbose_name_plural = "requests for more"
        indexes = [models.Index(fields=["person"], name="requests_of_a_person")]

    def __str__(self) -> str:
        return f"{self.person} asks: {self.words}"

    @property
    def subject(self) -> str:
        """What a notice about it is called."""
        return f"request:{self.pk}"


class TooManyRequests(Exception):
    """This person has asked often enough for now."""


class RequestForm(forms.Form):
    """What a member writes; the keys to choose from are those they may use, and none in particular."""

    shared_key = forms.ModelChoiceField(SharedKey.objects.none(), label="Key", required=False, empty_label="Any")
    words = NameField(
        label="What you need",
        max_length=LONGEST,
        help_text="How much of which models, and until when. An administrator reads it.",
    )

    def __init__(self, person: User, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        field = self.fields["shared_key"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = SharedKey.objects.granted_to(person).order_by("label", "pk")


@transaction.atomic
def ask(person: User, shared_key: SharedKey | None, words: str) -> KeyRequest:
    """Queue a request and tell administrators. Raises ``TooManyRequests``."""
    if KeyRequest.objects.filter(person=person, decision="").count() >= OPEN_REQUESTS:
        raise TooManyRequests
    asked = KeyRequest.objects.create(person=person, shared_key=shared_key, words=words)
    of = f" of {shared_key.display}" if shared_key else ""
    address = reverse("admin:chat_keyrequest_changelist")
    notices.tell(notices.Kind.REQUEST, asked.subject, f"{person} asks for more{of}: {words}", address=address)
    return asked


@transaction.atomic
def decide(asked: KeyRequest, decision: KeyRequest.Decision, decided_by: User | None) -> bool:
    """Close a request; False where somebody had closed it before."""
    mine = KeyRequest.objects.filter(pk=asked.pk, decision="")
    if not mine.update(decision=decision, decided_at=timezone.now(), decided_by=decided_by):
        return False
    notices.settle(notices.Kind.REQUEST, asked.subject)
    record(decided_by, Verb.CHANGED, asked, {"decision": {"from": "", "to": decision.label}})
    return True


def settle_by_grant(person: User, shared_key: SharedKey, granted_by: User | None) -> None:
    """Who is given a key has been given what they asked of it."""
    for asked in KeyRequest.objects.filter(Q(shared_key=shared_key) | Q(shared_key=None), person=person, decision=""):
        decide(asked, KeyRequest.Decision.GRANTED, granted_by)
