"""What providers make of stored keys: those they refuse are switched off or parked, those they limit rest a while.

It owns what a refusal says about a key, and who is told. Called by the engine when a provider refused, before it tries
the next key, and by the vault when a key is opened. What happens is in the audit log; what needs somebody is a notice.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from chat.accounts.models import User
from chat.audit.record import Verb, record
from chat.keys.models import Key, PersonalKey, SharedKey
from chat.notices import actions as notices
from chat.providers.errors import ProviderError

# Providers that limit a key often do not say for how long.
REST_SECONDS = 30.0
LONGEST_REST_SECONDS = 3600.0
# To the minute is near enough for "last used", and one write a minute is little enough.
USE_IS_NOTED_EVERY = timedelta(minutes=1)
SENTENCE_LIMIT = 300


def about_the_key(error: ProviderError) -> bool:
    """Whether another key may well be served where this one was refused."""
    return _is_dead(error) or error.kind in ("no_credit", "gated") or _is_limited(error)


def note_refusal(kind: type[Key], pk: int, error: ProviderError, opened_at: datetime) -> None:
    """Remember what a provider's refusal says about a key, unless its secret was replaced after ``opened_at``."""
    if kind is PersonalKey:
        if _is_dead(error):
            found = {"check_passed": False, "checked_at": timezone.now(), "check_report": error.sentence}
            PersonalKey.objects.filter(_given_before(opened_at), pk=pk).update(**found)
        return
    with transaction.atomic():
        key = SharedKey.objects.select_for_update().filter(_given_before(opened_at), pk=pk, enabled=True).first()
        if key is None:
            return
        if _is_dead(error):
            _switch_off(key, error)
        elif error.kind == "no_credit":
            _park(key, error)
        elif _is_limited(error):
            _rest(key, error)


def note_use(key: Key, user: User) -> None:
    """Remember that ``user`` has the key used now; the first use of a shared one is in the audit log."""
    now = timezone.now()
    if key.last_used_at and now - key.last_used_at < USE_IS_NOTED_EVERY:
        return
    rows = type(key)._default_manager.filter(pk=key.pk)
    if key.last_used_at:
        rows.update(last_used_at=now)
        return
    with transaction.atomic():
        if rows.filter(last_used_at=None).update(last_used_at=now) and isinstance(key, SharedKey):
            record(user, Verb.FIRST_USED, key)


def try_again(key: SharedKey) -> None:
    """Use a parked or resting key again from now on. One that was switched off stays so until it is switched on."""
    SharedKey.objects.filter(pk=key.pk).update(parked_until=None, resting_until=None)
    key.parked_until = key.resting_until = None
    settle_notice(key)


def settle_notice(key: SharedKey) -> None:
    """Nobody need look after the key any more."""
    notices.settle(notices.Kind.KEY_DIED, _subject(key))


def _is_dead(error: ProviderError) -> bool:
    return (error.kind, error.status) in (("unauthorized", 401), ("forbidden", 403))


def _is_limited(error: ProviderError) -> bool:
    return error.kind == "rate_limited" and error.status == 429


def _given_before(moment: datetime) -> Q:
    return Q(given_at=None) | Q(given_at__lte=moment)


def _switch_off(key: SharedKey, error: ProviderError) -> None:
    key.enabled, key.check_passed, key.checked_at = False, False, timezone.now()
    key.stopped_because = key.check_report = error.sentence[:SENTENCE_LIMIT]
    key.save(update_fields=["enabled", "check_passed", "checked_at", "stopped_because", "check_report"])
    record(None, Verb.DISABLED, key, {"because": error.sentence, "status": error.status})
    _tell(key, f"{error.sentence} It is switched off.")


def _park(key: SharedKey, error: ProviderError) -> None:
    now = timezone.now()
    if key.parked_until and key.parked_until > now:
        return
    # Credit is given anew at the beginning of a month, by the provider's calendar.
    key.parked_until = (now.replace(day=1) + timedelta(days=32)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    key.save(update_fields=["parked_until"])
    record(None, Verb.PARKED, key, {"because": error.sentence, "until": key.parked_until})
    _tell(key, f"{error.sentence} It is not used before {key.parked_until:%-d %B}.")


def _rest(key: SharedKey, error: ProviderError) -> None:
    now = timezone.now()
    was_resting = bool(key.resting_until and key.resting_until > now)
    seconds = REST_SECONDS if error.retry_after is None else min(max(error.retry_after, 1.0), LONGEST_REST_SECONDS)
    key.limited_at, key.resting_until = now, now + timedelta(seconds=seconds)
    key.save(update_fields=["limited_at", "resting_until"])
    if not was_resting:
        record(None, Verb.COOLED, key, {"seconds": round(seconds)})


def _tell(key: SharedKey, sentence: str) -> None:
    address = reverse("admin:chat_sharedkey_change", args=[key.pk])
    notices.tell(notices.Kind.KEY_DIED, _subject(key), sentence, address=address)


def _subject(key: SharedKey) -> str:
    return f"shared:{key.pk}"
