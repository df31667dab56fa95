"""Decides which key pays: own key for the endpoint, then a granted shared one, then the environment's.

It answers with references and labels, never with a secret; ``vault.open_credential`` checks the right again when
a run starts. Called on the send path, so all lanes together cost two queries.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import BooleanField, Case, Exists, Model, OuterRef, Value, When
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.limits import Limit
from chat.keys.models import Key, KeyGrant, PersonalKey, SharedKey, not_parked, turn
from chat.keys.vault import ENVIRONMENT, NONE, PERSONAL, SHARED, last_four, may_use_environment
from chat.prepared import Prepared, given, given_each

_FAILED_LAST = Case(When(check_passed=False, then=Value(1)), default=Value(0))
# A right of one's own before that of a group, and that before everybody's.
_NEAREST = Case(When(user__isnull=False, then=Value(0)), When(group__isnull=False, then=Value(1)), default=Value(2))


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
    # What lets the person use a shared key, the nearest first; none for keys of their own.
    grants: tuple[KeyGrant, ...] = ()
    # Those of them that have limits, by their ids.
    limited: frozenset[int] = frozenset()
    # Whether the person set limits for themselves, which hold for all keys.
    capped: bool = False

    @property
    def display(self) -> str:
        """``Team key …ab12``"""
        return f"{self.label} …{self.last_four}" if self.last_four else self.label

    @classmethod
    def of(cls, kind: str, key: Key, grants: Sequence[KeyGrant] = (), capped: bool = False) -> "KeyChoice":
        return cls(
            f"{kind}:{key.pk}",
            key.label,
            key.last_four,
            bill_to=key.bill_to,
            checked_bad=key.check_passed is False,
            grants=tuple(grants),
            limited=frozenset(grant.pk for grant in grants if _annotated(grant, "has_limits")),
            capped=capped,
        )


NO_KEY_NEEDED = KeyChoice(NONE, "No key needed", "", needs_none=True)


def choose_key(user: User, endpoint: Endpoint, preferred: str = "") -> KeyChoice | None:
    """Return the key that pays at ``endpoint``: ``preferred`` where it is usable, else the first in order."""
    return choose_keys(user, [(endpoint, preferred)])[0]


def choose_keys(user: User, wishes: Sequence[tuple[Endpoint, str]]) -> list[KeyChoice | None]:
    """``choose_key`` for several lanes at once, in their order; two queries whatever their number."""
    return [next(iter(payers), None) for payers in choose_payers(user, wishes)]


def choose_payers(user: User, wishes: Sequence[tuple[Endpoint, str]]) -> list[list[KeyChoice]]:
    """The keys that may pay in each of several lanes, the first choice first; two queries whatever their number.

    Another shared key may stand in for a shared one that has no room. A key of one's own never does: it is the
    person's own money.
    """
    usable = usable_keys_by_endpoint(user, [endpoint for endpoint, _ in wishes])
    return [_payers(usable[endpoint.pk], preferred) for endpoint, preferred in wishes]


def why_none(user: User, endpoint: Endpoint) -> str:
    """Why a person can use none of the keys for ``endpoint`` that they were given: a sentence, "" where it was none."""
    parked = SharedKey.objects.granted_to(user).filter(endpoint=endpoint, parked_until__gt=timezone.now())
    key = parked.order_by("parked_until").first()
    if key is None or key.parked_until is None:
        return ""
    day = f"{timezone.localtime(key.parked_until):%-d %B}"
    return (
        f"The account behind {key.display} is out of credit; it is tried again on {day}. "
        "Use a key of your own, or ask an administrator."
    )


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
    for key in _personal(user, known):
        # A key whose endpoint has moved since would be refused by the vault.
        if key.belongs_to(known[key.endpoint_id]):
            choices[key.endpoint_id].append(KeyChoice.of(PERSONAL, key, capped=_annotated(key, "capped")))
    for grants in _shared(user, known):
        shared = grants[0].shared_key
        if shared.belongs_to(known[shared.endpoint_id]):
            capped = _annotated(grants[0], "capped")
            choices[shared.endpoint_id].append(KeyChoice.of(SHARED, shared, grants, capped))
    for pk, endpoint in known.items():
        if may_use_environment(user, endpoint):
            capped = Limit.objects.filter(owner=user).exists()
            choices[pk].append(KeyChoice(ENVIRONMENT, "HF_TOKEN", last_four(settings.HF_TOKEN), capped=capped))
    return choices


def _personal(user: User, known: dict[int, Endpoint]) -> Iterable[PersonalKey]:
    return _PERSONAL.rows(user=user.pk, endpoints=known)


def _shared(user: User, known: dict[int, Endpoint]) -> list[list[KeyGrant]]:
    """What lets the person use each shared key, key by key, the one whose turn it is first."""
    grants = KeyGrant.objects.covering(user).filter(
        not_parked("shared_key__"), shared_key__endpoint__in=known, shared_key__enabled=True
    )
    found = (
        grants.select_related("shared_key")
        .defer("shared_key__sealed", "shared_key__check_report")
        .annotate(has_limits=Exists(Limit.objects.filter(grant=OuterRef("pk"))), capped=_capped(user))
        .order_by(*turn("shared_key__"), _NEAREST, "pk")
    )
    by_key: dict[int, list[KeyGrant]] = {}
    for grant in found:
        by_key.setdefault(grant.shared_key_id, []).append(grant)
    return list(by_key.values())


_PERSONAL = Prepared(
    lambda: (
        PersonalKey.objects.filter(user=given("user"), endpoint__in=given_each("endpoints"))
        .defer("sealed", "check_report")
        .annotate(capped=_capped(given("user")))
        .order_by(_FAILED_LAST, "-pk")
    )
)


def _capped(user: User) -> Exists:
    return Exists(Limit.objects.filter(owner=user), output_field=BooleanField())


def _annotated(row: Model, name: str) -> bool:
    """What the query that found a row added to it."""
    return bool(getattr(row, name))


def _payers(usable: list[KeyChoice], preferred: str) -> list[KeyChoice]:
    wished = (choice for choice in usable if choice.ref == preferred)
    first = next(wished, usable[0] if usable else None)
    if first is None:
        return []
    return [first, *(choice for choice in usable if first.grants and choice.grants and choice is not first)]
