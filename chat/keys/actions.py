"""The verbs of keys: store, check, bill, delete, and seal again under a newer encryption key.

A secret passes through here once, on its way into the vault, and never comes back. Called by views, Django admin
and ``manage.py reseal_keys``.
"""

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from chat.accounts.models import User
from chat.audit.record import Verb, record
from chat.catalogue.models import Endpoint
from chat.keys.check import CheckReport, Outcome, check_secret
from chat.keys.errors import KeysError, SecretRefused, TooManyKeys
from chat.keys.fingerprint import same
from chat.keys.models import Key, PersonalKey, SharedKey
from chat.keys.vault import Binding, last_four, open_key, open_sealed, seal, sealed_with_newest

KEYS_PER_PERSON = 50
DEFAULT_LABEL = "My token"


@sensitive_variables("secret")
def add_personal_key(user: User, endpoint: Endpoint, secret: str, label: str = "") -> PersonalKey:
    """Check ``secret``, store it for ``user`` and return the row; giving the same one again renews its row.

    One that could not be checked is stored and says so. Raises ``SecretRefused`` and ``TooManyKeys``, storing nothing.
    """
    key = _stored_already(user, endpoint, secret)
    if key is None:
        if PersonalKey.objects.filter(user=user).count() >= KEYS_PER_PERSON:
            raise TooManyKeys
        key = PersonalKey(user=user, endpoint=endpoint)
    report = check_secret(secret, endpoint)
    if report.outcome is Outcome.REFUSED:
        raise SecretRefused(report.sentence)
    key.label = label or key.label or DEFAULT_LABEL
    _seal_into(key, secret)
    _note(key, report)
    with transaction.atomic():
        is_new = key.pk is None
        key.save()
        record(user, Verb.ADDED if is_new else Verb.CHANGED, key, {"of": str(endpoint)})
    return key


@sensitive_variables("secret")
def store_shared_key(key: SharedKey, secret: str) -> None:
    """Save ``key`` with ``secret``, whatever it held before, unchecked: follow with ``check_again``.

    Django admin saves inside a transaction, and no transaction may wait for the network.
    """
    _seal_into(key, secret)
    key.save()


@sensitive_variables("secret", "credential")
def check_again(key: Key) -> CheckReport:
    """Check a stored key and save what was found. Raises ``KeysError`` where it cannot be opened."""
    credential = open_key(key, key.endpoint)
    report = check_secret(credential.secret, key.endpoint)
    _note(key, report)
    key.save()
    return report


def bill_to(key: Key, organisation: str) -> None:
    """Have ``organisation`` pay, or the token's owner where it is empty. Raises ``KeysError`` for a foreign one."""
    if organisation and organisation not in key.organisations:
        raise KeysError("This token cannot be billed to that organisation.")
    key.bill_to = organisation
    key.save(update_fields=["bill_to"])


def delete_personal_key(key: PersonalKey) -> None:
    """Forget the key; answers that were to be paid with it fall back to the next in order."""
    with transaction.atomic():
        record(key.user, Verb.REMOVED, key, {"of": str(key.endpoint)})
        key.delete()


@transaction.atomic
def reseal_all() -> int:
    """Seal every secret under the newest encryption key and return how many needed it, so that older ones can go.

    Raises ``SecretUnreadable``, changing nothing, if one cannot be opened.
    """
    resealed = 0
    for kind in (PersonalKey, SharedKey):
        for key in kind._default_manager.select_for_update():
            if not sealed_with_newest(key.sealed):
                binding = Binding.of(key)
                key.sealed = seal(open_sealed(key.sealed, binding), binding)
                key.save(update_fields=["sealed"])
                resealed += 1
    return resealed


@sensitive_variables("secret")
def _seal_into(key: Key, secret: str) -> None:
    key.host, key.scheme, key.given_at = key.endpoint.host, key.endpoint.scheme, timezone.now()
    key.carried = Key.Carried.BEARER
    key.last_four = last_four(secret)
    key.sealed = seal(secret, Binding.of(key))
    key.checked_at, key.check_passed, key.check_report, key.organisations = None, None, "", []


def _note(key: Key, report: CheckReport) -> None:
    key.check_report = report.sentence
    # A check that learned nothing takes nothing back.
    if report.outcome is not Outcome.UNCHECKED:
        key.checked_at = timezone.now()
        key.check_passed = report.passed
        key.organisations = list(report.organisations)
        key.bill_to = key.bill_to or report.bill_to


@sensitive_variables("secret")
def _stored_already(user: User, endpoint: Endpoint, secret: str) -> PersonalKey | None:
    alike = PersonalKey.objects.filter(user=user, endpoint=endpoint, host=endpoint.host, last_four=last_four(secret))
    return next((key for key in alike if _holds(key, secret)), None)


@sensitive_variables("secret")
def _holds(key: Key, secret: str) -> bool:
    try:
        return same(open_sealed(key.sealed, Binding.of(key)), secret)
    except KeysError:
        return False
