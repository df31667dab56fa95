"""Why a stored key cannot be used, as one tree; the text of each is a sentence for the person who wanted to use it.

KeysError
├── NoKey             nothing is there that this person could pay with
├── KeyNotYours       the key is gone, paused, or not (or no longer) granted to this person
├── KeyElsewhere      the key was given for another host than the endpoint has now
├── SecretUnreadable  the stored ciphertext cannot be opened
│   ├── EncryptionKeyMissing   ENCRYPTION_KEYS lacks the key it was sealed with
│   └── SecretTampered         changed, or moved to a row it was not sealed for
├── NotGranted        no grant lets the person ask that model, or that provider, with the key
├── QuotaReached      a limit has no room for what is asked
├── SecretRefused     a secret that was to be stored is not valid
└── TooManyKeys       this person keeps too many already

``vault``, ``actions``, ``scope`` and ``quota`` raise these; no message ever holds a secret or a ciphertext.
"""


class KeysError(Exception):
    """A key cannot be used; ``str()`` says why and what to do."""

    sentence = "This key cannot be used."

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence or self.sentence)


class NoKey(KeysError):
    sentence = "This model needs a key. Paste yours, or ask an administrator."


class KeyNotYours(KeysError):
    sentence = "The key that was to pay is gone, or no longer yours to use. Choose another."


class KeyElsewhere(KeysError):
    sentence = "The provider's address has changed since this key was stored. Type the key in again to use it there."


class SecretUnreadable(KeysError):
    sentence = "The stored key cannot be read. Type it in again."


class EncryptionKeyMissing(SecretUnreadable):
    sentence = "The stored key was encrypted with a key that ENCRYPTION_KEYS no longer has. Type it in again."


class SecretTampered(SecretUnreadable):
    sentence = "The stored key was changed outside the playground. Type it in again."


class NotGranted(KeysError):
    sentence = "This key may not be used for this model. Choose another, or ask for it on the page of your keys."


class QuotaReached(KeysError):
    """Its sentence says which limit, when it begins anew, and what to do."""


class SecretRefused(KeysError):
    """The one who issued it says that it is not valid; nothing was stored."""


class TooManyKeys(KeysError):
    sentence = "You have stored as many keys as the playground keeps for one person. Delete one first."
