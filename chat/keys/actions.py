"""The verbs of keys: store, check, bill, move, retire and delete.

A secret passes through here once, on its way into the vault, and never comes back. Called by views, Django admin
and commands.
"""

from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from chat.accounts.models import User
from chat.audit.record import Verb, record
from chat.catalogue.models import Endpoint
from chat.keys.check import CheckReport, Outcome, check_secret
from chat.keys.errors import KeysError, SecretRefused, TooManyKeys
from chat.keys.fingerprint import fingerprint, same
from chat.keys.health import settle_notice, try_again
from chat.keys.models import Key, PersonalKey, SharedKey
from chat.keys.trial import tried
from chat.keys.vault import Binding, last_four, open_key, open_sealed, seal
from chat.providers.key_headers import secret_part

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
def store_shared_key(key: SharedKey, secret: str, carried: Key.Carried = Key.Carried.BEARER) -> None:
    """Save ``key`` with ``secret``, whatever it held before, unchecked: follow with ``check_again``.

    Django admin saves inside a transaction, and no transaction may wait for the network.
    """
    _seal_into(key, secret, carried)
    key.fingerprint = fingerprint(secret)
    # Who replaces the secret of a key that was found dead means it to live.
    key.enabled = key.enabled or bool(key.stopped_because)
    key.stopped_because, key.parked_until, key.limited_at, key.resting_until = "", None, None, None
    key.save()
    settle_notice(key)


def switch_on(key: SharedKey) -> None:
    """Forget why it was switched off; saving ``enabled`` is the caller's."""
    key.stopped_because = ""
    try_again(key)


@sensitive_variables("secret")
def confirm_address(key: SharedKey, by: User | None) -> None:
    """Let a stored secret go to where its endpoint is now, because an administrator says that this is right.

    Raises ``SecretUnreadable``.
    """
    secret, before = open_sealed(key.sealed, Binding.of(key)), f"{key.scheme}://{key.host}"
    key.host, key.scheme = key.endpoint.host, key.endpoint.scheme
    key.sealed = seal(secret, Binding.of(key))
    with transaction.atomic():
        key.save()
        record(by, Verb.CHANGED, key, {"is sent to": {"from": before, "to": f"{key.scheme}://{key.host}"}})


def retire(key: SharedKey, by: User | None) -> None:
    """Forget the secret for good; what was used and granted stays on record."""
    key.enabled, key.sealed, key.fingerprint, key.stopped_because = False, "", "", "Retired."
    with transaction.atomic():
        key.save(update_fields=["enabled", "sealed", "fingerprint", "stopped_because"])
        record(by, Verb.DISABLED, key, {"retired": True})
        settle_notice(key)


@sensitive_variables("secret", "credential")
def check_again(key: Key) -> CheckReport:
    """Check a stored key and save what was found; one that others rely on also has to get one token of a model.

    Raises ``KeysError`` where it cannot be opened.
    """
    credential = open_key(key, key.endpoint)
    report = check_secret(credential.secret, key.endpoint)
    if isinstance(key, SharedKey):
        report = tried(report, credential, key.endpoint, key.bill_to)
    _note(key, report)
    key.save(update_fields=["check_report", "checked_at", "check_passed", "organisations", "bill_to"])
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


@sensitive_variables("secret")
def _seal_into(key: Key, secret: str, carried: Key.Carried = Key.Carried.BEARER) -> None:
    key.host, key.scheme, key.given_at = key.endpoint.host, key.endpoint.scheme, timezone.now()
    key.carried = carried
    key.last_four = last_four(secret_part(secret) if carried == Key.Carried.HEADERS else secret)
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
