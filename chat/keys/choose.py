"""Decides which key pays: own key for the endpoint, then a granted shared one, then the environment's.

It answers with references and labels, never with a secret; ``vault.open_credential`` checks the right again when
a run starts. Called on the send path, so all lanes together cost two queries.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Case, Value, When

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.models import Key, PersonalKey, SharedKey
from chat.keys.vault import ENVIRONMENT, NONE, PERSONAL, SHARED, last_four, may_use_environment

_FAILED_LAST = Case(When(check_passed=False, then=Value(1)), default=Value(0))


@dataclass(frozen=True)
class KeyChoice:
    """A key as people see it. ``ref`` is stored on lanes and runs: ``personal:<pk>``, ``shared:<pk>``,
    ``environment`` or ``none``."""

    ref: str
    label: str
    last_four: str
    needs_none: bool = False
    bill_to: str = ""
    checked_bad: bool = False

    @property
    def display(self) -> str:
        """``Team key …ab12``"""
        return f"{self.label} …{self.last_four}" if self.last_four else self.label

    @classmethod
    def of(cls, kind: str, key: Key) -> "KeyChoice":
        return cls(
            f"{kind}:{key.pk}",
            key.label,
            key.last_four,
            bill_to=key.bill_to,
            checked_bad=key.check_passed is False,
        )


NO_KEY_NEEDED = KeyChoice(NONE, "No key needed", "", needs_none=True)


def choose_key(user: User, endpoint: Endpoint, preferred: str = "") -> KeyChoice | None:
    """Return the key that pays at ``endpoint``: ``preferred`` where it is usable, else the first in order."""
    return choose_keys(user, [(endpoint, preferred)])[0]


def choose_keys(user: User, wishes: Sequence[tuple[Endpoint, str]]) -> list[KeyChoice | None]:
    """``choose_key`` for several lanes at once, in their order; two queries whatever their number."""
    usable = usable_keys_by_endpoint(user, [endpoint for endpoint, _ in wishes])
    return [_pick(usable[endpoint.pk], preferred) for endpoint, preferred in wishes]


def usable_keys(user: User, endpoint: Endpoint) -> list[KeyChoice]:
    """Return all keys this person may use at ``endpoint``, the one that pays by default first."""
    return usable_keys_by_endpoint(user, [endpoint])[endpoint.pk]


def next_shared_key(user: User, endpoint: Endpoint, tried: Collection[str]) -> KeyChoice | None:
    """Return the shared key whose turn it is after those named in ``tried``, by their ``ref``, did not serve."""
    others = (choice for choice in usable_keys(user, endpoint) if choice.ref not in tried)
    return next((choice for choice in others if is_shared(choice.ref)), None)


def is_shared(ref: str) -> bool:
    """Whether a reference is to a shared key: one that others like it may stand in for."""
    return ref.startswith(f"{SHARED}:")


def has_router_key(user: User) -> bool:
    """Whether this person has any key for the Hugging Face router."""
    routers = Endpoint.objects.filter(kind=Endpoint.Kind.ROUTER, enabled=True)
    return any(usable_keys_by_endpoint(user, routers).values())


def usable_keys_by_endpoint(user: User, endpoints: Iterable[Endpoint]) -> dict[int, list[KeyChoice]]:
    """``usable_keys`` for several endpoints by their pk; two queries, none where no endpoint needs a key."""
    asked = list(endpoints)
    # A server that asks for no key is sent none: a secret goes nowhere where it is not needed.
    choices = {endpoint.pk: [] if endpoint.needs_key else [NO_KEY_NEEDED] for endpoint in asked}
    known = {endpoint.pk: endpoint for endpoint in asked if endpoint.needs_key}
    if not known or not user.is_active:
        return choices
    for kind, keys in ((PERSONAL, _personal(user, known)), (SHARED, _shared(user, known))):
        for key in keys:
            # A key whose endpoint has moved since would be refused by the vault.
            if key.belongs_to(known[key.endpoint_id]):
                choices[key.endpoint_id].append(KeyChoice.of(kind, key))
    for pk, endpoint in known.items():
        if may_use_environment(user, endpoint):
            choices[pk].append(KeyChoice(ENVIRONMENT, "HF_TOKEN", last_four(settings.HF_TOKEN)))
    return choices


def _personal(user: User, known: dict[int, Endpoint]) -> Iterable[PersonalKey]:
    keys = PersonalKey.objects.filter(user=user, endpoint__in=known).defer("sealed", "check_report")
    return keys.order_by(_FAILED_LAST, "-pk")


def _shared(user: User, known: dict[int, Endpoint]) -> Iterable[SharedKey]:
    keys = SharedKey.objects.granted_to(user).not_parked().filter(endpoint__in=known)
    return keys.defer("sealed", "check_report").in_turn()


def _pick(usable: list[KeyChoice], preferred: str) -> KeyChoice | None:
    wished = (choice for choice in usable if choice.ref == preferred)
    return next(wished, usable[0] if usable else None)
