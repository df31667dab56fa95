"""Seals secrets for storage and opens them right before use; the only code that sees both forms.

AES-256-GCM (NIST SP 800-38D) under the first of ``ENCRYPTION_KEYS``; every one of them opens. A sealed secret reads
``v1.<id of the encryption key>.<nonce and ciphertext, base64url>`` and is bound to the kind of row, host and owner
it was sealed for: copied into another row it does not open there. Which key pays is decided by ``choose``.
"""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db.models import Exists
from django.views.decorators.debug import sensitive_variables

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.errors import EncryptionKeyMissing, KeyElsewhere, KeyNotYours, NoKey, SecretTampered
from chat.keys.health import note_use
from chat.keys.models import Key, PersonalKey, SharedKey
from chat.providers.credential import Credential
from chat.providers.key_headers import read_headers

VERSION = "v1"
# GCM's own size; anything else makes it hash the nonce first and weakens the bound below.
NONCE_BYTES = 12
# Shorter secrets would give too much of themselves away by four characters.
SHOWN_FROM_LENGTH = 12
# What a reference to a key may begin with; stored on lanes and runs.
PERSONAL, SHARED, ENVIRONMENT, NONE = "personal", "shared", "environment", "none"
_KINDS: dict[str, type[Key]] = {PERSONAL: PersonalKey, SHARED: SharedKey}


@dataclass(frozen=True)
class Binding:
    """The row that a secret belongs to: kind of key, host, and the owner's id (empty for shared keys)."""

    kind: str
    host: str
    owner: str = ""

    @classmethod
    def of(cls, key: Key) -> "Binding":
        """The binding of a row, which need not be saved yet."""
        owner = str(key.user_id) if isinstance(key, PersonalKey) else ""
        return cls(key._meta.model_name or "", key.host, owner)

    def associated_data(self) -> bytes:
        return "\x1f".join((VERSION, self.kind, self.host, self.owner)).encode()


@sensitive_variables("secret", "ring")
def seal(secret: str, binding: Binding) -> str:
    """Return the sealed form of ``secret``, which only opens with the same binding."""
    ring = _ring(encryption_keys())
    key_id = next(iter(ring))
    nonce = os.urandom(NONCE_BYTES)
    box = nonce + ring[key_id].encrypt(nonce, secret.encode(), binding.associated_data())
    return f"{VERSION}.{key_id}.{base64.urlsafe_b64encode(box).decode()}"


@sensitive_variables("ring", "plain")
def open_sealed(sealed: str, binding: Binding) -> str:
    """Return the secret. Raises ``EncryptionKeyMissing`` or ``SecretTampered``."""
    version, key_id, box = _parts(sealed)
    ring = _ring(encryption_keys())
    if version != VERSION or len(box) <= NONCE_BYTES:
        raise SecretTampered
    if key_id not in ring:
        raise EncryptionKeyMissing
    try:
        plain = ring[key_id].decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], binding.associated_data())
    except InvalidTag as error:
        raise SecretTampered from error
    return plain.decode()


def sealed_with_newest(sealed: str) -> bool:
    """Tell whether sealing it again would change the encryption key."""
    return _parts(sealed)[1] == next(iter(_ring(encryption_keys())))


def encryption_keys() -> tuple[str, ...]:
    """The keys that seal and open, the newest first, as they are now: another process may have made a new one."""
    kept = settings.ENCRYPTION_KEY_FILE
    if kept is not None and (changed := kept.changed()):
        settings.ENCRYPTION_KEYS = changed
    return tuple(settings.ENCRYPTION_KEYS)


def last_four(secret: str) -> str:
    """The part of a secret that may be shown, empty where the whole is short."""
    return secret[-4:] if len(secret) >= SHOWN_FROM_LENGTH else ""


def router_host() -> str:
    """The one host that the token from the environment may be sent to."""
    return urlsplit(settings.HF_ROUTER_URL).netloc.rpartition("@")[2].lower()


def may_use_environment(user: User, endpoint: Endpoint) -> bool:
    """Tell whether ``HF_TOKEN`` pays for this person there: administrators only, and only at the router."""
    return bool(settings.HF_TOKEN) and user.is_active and user.is_superuser and endpoint.host == router_host()


def open_credential(ref: str, user: User, endpoint: Endpoint) -> Credential | None:
    """Return the credential that ``ref`` names, checking the right to it again; None where the endpoint needs none.

    ``ref`` is one of ``KeyChoice.ref``. Raises ``KeysError``: ``NoKey``, ``KeyNotYours``, ``KeyElsewhere``,
    ``SecretUnreadable``.
    """
    kind, _, number = ref.partition(":")
    if kind in ("", NONE):
        if endpoint.needs_key:
            raise NoKey
        return None
    if kind == ENVIRONMENT:
        return _open_environment(user, endpoint)
    key = _find(kind, number, user, endpoint)
    credential = open_key(key, endpoint)
    note_use(key, user)
    return credential


def open_key(key: Key, endpoint: Endpoint) -> Credential:
    """Return the credential of a row for that endpoint; the right to the row is the caller's to check."""
    if not key.belongs_to(endpoint):
        raise KeyElsewhere
    secret = open_sealed(key.sealed, Binding.of(key))
    if key.carried == Key.Carried.HEADERS:
        return Credential("", key.host, key.display, key.last_four, named=read_headers(secret))
    return Credential(secret, key.host, key.display, key.last_four)


def kind_and_pk(ref: str) -> tuple[type[Key], int] | None:
    """The row that ``ref`` names; None for what is no row."""
    kind, _, number = ref.partition(":")
    if kind not in _KINDS or not (number.isascii() and number.isdigit()):
        return None
    return _KINDS[kind], int(number)


def _find(kind: str, number: str, user: User, endpoint: Endpoint) -> Key:
    if not (number.isascii() and number.isdigit()):
        raise KeyNotYours
    # Both may have been read when the message was sent: what is so now is asked in the same query.
    active = User.objects.filter(pk=user.pk, is_active=True)
    key: Key | None = None
    if kind == PERSONAL:
        key = PersonalKey.objects.filter(Exists(active), pk=number, user=user, endpoint=endpoint).first()
    elif kind == SHARED:
        key = SharedKey.objects.granted_to(user).filter(Exists(active), pk=number, endpoint=endpoint).first()
    if key is None:
        raise KeyNotYours
    return key


def _open_environment(user: User, endpoint: Endpoint) -> Credential:
    # As it is now, not as it was when the message was sent.
    owner = User.objects.filter(pk=user.pk).first()
    if owner is None or not may_use_environment(owner, endpoint):
        raise KeyNotYours
    shown = last_four(settings.HF_TOKEN)
    return Credential(settings.HF_TOKEN, router_host(), "HF_TOKEN" + (f" …{shown}" if shown else ""), shown)


def _parts(sealed: str) -> tuple[str, str, bytes]:
    version, _, rest = sealed.partition(".")
    key_id, _, text = rest.partition(".")
    try:
        return version, key_id, base64.urlsafe_b64decode(text)
    except (binascii.Error, ValueError) as error:
        raise SecretTampered from error


@lru_cache(maxsize=8)
def _ring(keys: tuple[str, ...]) -> dict[str, AESGCM]:
    """Ciphers by the id of their key, the newest first. The id is derived, so it cannot be given to the wrong key."""
    raw_keys = [base64.urlsafe_b64decode(key) for key in keys]
    return {hashlib.sha256(b"id of " + raw).hexdigest()[:8]: AESGCM(raw) for raw in raw_keys}
