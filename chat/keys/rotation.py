"""Seals every stored secret anew under the newest encryption key, row by row, while others use and replace them.

What is sealed with the newest already is passed over, so it can be broken off and begun again at any time. Called by
``manage.py rotate_encryption_key`` and by the restoring of a backup.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.views.decorators.debug import sensitive_variables

from chat.keys.errors import SecretTampered, SecretUnreadable
from chat.keys.fingerprint import fingerprint
from chat.keys.models import Key, PersonalKey, SharedKey
from chat.keys.vault import Binding, open_sealed, seal, sealed_with_newest


@dataclass
class Resealed:
    """How many secrets were sealed anew, and which keys could not be opened, as people see them."""

    number: int = 0
    unreadable: list[str] = field(default_factory=list)


def reseal_all() -> Resealed:
    """Seal all secrets that need it. Those that cannot be opened stay as they are."""
    done = Resealed()
    for key in _all_keys():
        try:
            done.number += _reseal(key)
        except SecretUnreadable:
            done.unreadable.append(f"{key.display} ({key._meta.verbose_name} {key.pk})")
    return done


def are_left() -> bool:
    """Whether a secret that can be opened is sealed with an older key: one was stored while others were sealed anew."""
    return any(_needs_sealing(key) for key in _all_keys())


def _all_keys() -> Iterator[Key]:
    for kind in (PersonalKey, SharedKey):
        yield from kind._default_manager.exclude(sealed="").order_by("pk").iterator(chunk_size=200)


def _needs_sealing(key: Key) -> bool:
    try:
        return not sealed_with_newest(key.sealed)
    except SecretTampered:
        return False


@sensitive_variables("secret")
def _reseal(key: Key) -> int:
    """1 if the secret was sealed anew, else 0: it need not be, or somebody has just replaced it."""
    old, binding = key.sealed, Binding.of(key)
    secret = open_sealed(old, binding)
    fresh: dict[str, Any] = {}
    if not sealed_with_newest(old):
        fresh["sealed"] = seal(secret, binding)
    if isinstance(key, SharedKey) and key.fingerprint and key.fingerprint != fingerprint(secret):
        fresh["fingerprint"] = fingerprint(secret)
    if not fresh:
        return 0
    changed = type(key)._default_manager.filter(pk=key.pk, sealed=old).update(**fresh)
    return changed if "sealed" in fresh else 0
