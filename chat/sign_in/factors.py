"""Tells django-allauth how second factors are stored and named. What they prove is allauth's to check."""

from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings

from chat.keys.vault import Binding, open_sealed, seal

# Not the owner's: allauth seals before it knows the row. A copied row proves nothing to who lacks the device.
BINDING = Binding("second factor", "")


class FactorAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return seal(text, BINDING)

    def decrypt(self, encrypted_text: str) -> str:
        return open_sealed(encrypted_text, BINDING)

    def get_totp_issuer(self) -> str:
        """What an authenticator app shows above the code."""
        return f"Playground ({urlsplit(settings.PUBLIC_URL).hostname})"

    def _get_site_name(self) -> str:
        """What a device shows that is asked for a passkey."""
        return "Playground"
