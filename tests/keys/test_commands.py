"""``manage.py reseal_keys`` makes older encryption keys dispensable."""

import base64
import os
from io import StringIO

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.models import PersonalKey, SharedKey
from chat.keys.vault import Binding, open_sealed
from tests.factories import make_personal_key, make_shared_key


def fresh_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def resealed() -> str:
    out = StringIO()
    call_command("reseal_keys", stdout=out)
    return out.getvalue()


def test_after_it_the_new_key_alone_opens_everything(alice: User, router: Endpoint, settings: LazySettings) -> None:
    old, new = fresh_key(), fresh_key()
    settings.ENCRYPTION_KEYS = (old,)
    make_personal_key(alice, router, "hf_one")
    make_shared_key(router, secret="hf_two")

    settings.ENCRYPTION_KEYS = (new, old)
    first, second = resealed(), resealed()

    settings.ENCRYPTION_KEYS = (new,)
    keys = [PersonalKey.objects.get(), SharedKey.objects.get()]
    assert [open_sealed(key.sealed, Binding.of(key)) for key in keys] == ["hf_one", "hf_two"]
    assert first.startswith("Sealed again: 2.")
    assert second.startswith("Sealed again: 0.")


def test_one_that_cannot_be_opened_changes_nothing(alice: User, router: Endpoint, settings: LazySettings) -> None:
    old, lost, new = fresh_key(), fresh_key(), fresh_key()
    settings.ENCRYPTION_KEYS = (old,)
    readable = make_personal_key(alice, router).sealed
    settings.ENCRYPTION_KEYS = (lost,)
    make_shared_key(router)

    settings.ENCRYPTION_KEYS = (new, old)
    with pytest.raises(CommandError, match="Nothing was changed"):
        resealed()

    assert PersonalKey.objects.get().sealed == readable
