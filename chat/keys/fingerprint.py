"""Recognises a secret that is stored already, by a keyed hash, which tells nothing to who lacks SECRET_KEY.

It does not depend on the encryption keys, so it stays when they are changed; where SECRET_KEY itself was changed,
``rotate_encryption_key`` makes it anew.
"""

import hmac

from django.utils.crypto import salted_hmac
from django.views.decorators.debug import sensitive_variables

from chat.keys.errors import KeysError
from chat.keys.models import SharedKey
from chat.keys.vault import Binding, open_sealed


@sensitive_variables("secret")
def fingerprint(secret: str) -> str:
    """64 hexadecimal digits, the same for the same secret."""
    return salted_hmac("chat.keys.fingerprint", secret, algorithm="sha256").hexdigest()


@sensitive_variables("secret")
def same(one: str, other: str) -> bool:
    """Compare two secrets in a time that does not tell where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


@sensitive_variables("secret")
def shared_key_with(secret: str, *, beside: int | None) -> SharedKey | None:
    """The shared key, other than the one with the pk ``beside``, that holds this very secret."""
    others = SharedKey.objects.exclude(pk=beside or 0)
    if found := others.filter(fingerprint=fingerprint(secret)).first():
        return found
    # Those that were stored before there were fingerprints.
    return next((key for key in others.filter(fingerprint="").exclude(sealed="") if _holds(key, secret)), None)


@sensitive_variables("secret")
def _holds(key: SharedKey, secret: str) -> bool:
    try:
        return same(open_sealed(key.sealed, Binding.of(key)), secret)
    except KeysError:
        return False
