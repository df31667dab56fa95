"""Tells django-allauth how second factors are stored and named. What they prove is allauth's to check."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from chat.keys.rotation import Sealed, register
from chat.keys.vault import Binding, open_sealed, seal

# Not the owner's: allauth seals before it knows the row. A copied row proves nothing to who lacks the device.
BINDING = Binding("second factor", "")


@dataclass(frozen=True)
class SealedFactor(Sealed):
    """A sealed value among others in the data of a second factor, under the name ``column``."""

    def filled(self) -> Iterator[Authenticator]:
        yield from self.rows().order_by("pk").iterator(chunk_size=200)

    def of(self, row: Authenticator) -> str:
        return str(row.data[self.column])

    @transaction.atomic
    def replace(self, row: Authenticator, old: str, fresh: dict[str, str]) -> int:
        """Held meanwhile: beside it stands which recovery codes are used up, and none may come back."""
        now = self.rows().select_for_update().filter(pk=row.pk).first()
        if now is None or self.of(now) != old:
            return 0
        return self.rows().filter(pk=row.pk).update(data={**now.data, **fresh})


def _of_type(kind: str) -> Callable[[], QuerySet[Authenticator]]:
    return lambda: Authenticator.objects.filter(type=kind)


register(SealedFactor(_of_type(Authenticator.Type.TOTP), "secret", lambda _: BINDING))
register(SealedFactor(_of_type(Authenticator.Type.RECOVERY_CODES), "seed", lambda _: BINDING))


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
