"""Secrets are sealed with authenticated encryption, bound to their row and host, and survive rotation."""

import base64
import os

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from chat.accounts.actions import disable_user
from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.errors import EncryptionKeyMissing, KeyElsewhere, KeyNotYours, KeysError, NoKey, SecretTampered
from chat.keys.models import KeyGrant, PersonalKey, SharedKey
from chat.keys.vault import Binding, last_four, open_credential, open_sealed, seal, sealed_with_newest
from tests.factories import make_endpoint, make_local_endpoint, make_personal_key, make_shared_key

BINDING = Binding("personalkey", "router.huggingface.co", "1")
SECRET = "hf_canary_in_the_vault_0123"


def fresh_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


@given(st.text(min_size=1))
def test_what_was_sealed_opens_again(secret: str) -> None:
    assert open_sealed(seal(secret, BINDING), BINDING) == secret


def test_sealing_twice_gives_two_texts_and_shows_nothing() -> None:
    first, second = seal(SECRET, BINDING), seal(SECRET, BINDING)

    assert first != second
    assert "canary" not in first + base64.urlsafe_b64decode(first.split(".")[2]).decode("latin-1")


@pytest.mark.parametrize(
    "other",
    [
        Binding("sharedkey", "router.huggingface.co", "1"),
        Binding("personalkey", "evil.example", "1"),
        Binding("personalkey", "router.huggingface.co", "2"),
    ],
)
def test_it_opens_only_where_it_was_sealed_for(other: Binding) -> None:
    with pytest.raises(SecretTampered):
        open_sealed(seal(SECRET, BINDING), other)


@given(st.integers(min_value=0, max_value=54), st.integers(min_value=1, max_value=255))
def test_every_changed_byte_is_noticed(position: int, change: int) -> None:
    version, key_id, text = seal(SECRET, BINDING).split(".")
    box = bytearray(base64.urlsafe_b64decode(text))
    box[position] ^= change

    with pytest.raises(SecretTampered):
        open_sealed(f"{version}.{key_id}.{base64.urlsafe_b64encode(box).decode()}", BINDING)


@given(st.text())
def test_garbage_is_refused_as_unreadable(garbage: str) -> None:
    with pytest.raises(KeysError):
        open_sealed(garbage, BINDING)


def test_an_older_encryption_key_still_opens_and_the_first_seals(settings: LazySettings) -> None:
    old, new = fresh_key(), fresh_key()
    settings.ENCRYPTION_KEYS = (old,)
    sealed = seal(SECRET, BINDING)

    settings.ENCRYPTION_KEYS = (new, old)
    again = seal(SECRET, BINDING)

    assert open_sealed(sealed, BINDING) == SECRET
    assert (sealed_with_newest(sealed), sealed_with_newest(again)) == (False, True)
    settings.ENCRYPTION_KEYS = (new,)
    assert open_sealed(again, BINDING) == SECRET
    with pytest.raises(EncryptionKeyMissing):
        open_sealed(sealed, BINDING)


@pytest.mark.parametrize(("secret", "shown"), [("hf_0123456789ab12", "ab12"), ("shortsecret", ""), ("", "")])
def test_short_secrets_show_no_end(secret: str, shown: str) -> None:
    assert last_four(secret) == shown


def test_a_credential_of_ones_own_key(alice: User, router: Endpoint) -> None:
    key = make_personal_key(alice, router, SECRET)

    credential = open_credential(f"personal:{key.pk}", alice, router)

    assert credential
    assert (credential.secret, credential.host) == (SECRET, "router.huggingface.co")
    assert "canary" not in repr(credential)


def test_a_key_of_somebody_else_is_refused(alice: User, bob: User, router: Endpoint) -> None:
    key = make_personal_key(alice, router)

    with pytest.raises(KeyNotYours):
        open_credential(f"personal:{key.pk}", bob, router)


def test_a_ciphertext_moved_into_anothers_row_does_not_open(alice: User, bob: User, router: Endpoint) -> None:
    stolen = make_personal_key(alice, router).sealed
    key = make_personal_key(bob, router)
    PersonalKey.objects.filter(pk=key.pk).update(sealed=stolen)

    with pytest.raises(SecretTampered):
        open_credential(f"personal:{key.pk}", bob, router)


def test_a_shared_key_works_while_it_is_granted_and_enabled(alice: User, bob: User, router: Endpoint) -> None:
    key = make_shared_key(router, bob)
    ref = f"shared:{key.pk}"

    assert open_credential(ref, bob, router)
    with pytest.raises(KeyNotYours):
        open_credential(ref, alice, router)
    SharedKey.objects.update(enabled=False)
    with pytest.raises(KeyNotYours):
        open_credential(ref, bob, router)
    SharedKey.objects.update(enabled=True)
    KeyGrant.objects.all().delete()
    with pytest.raises(KeyNotYours):
        open_credential(ref, bob, router)


def test_a_key_is_refused_when_its_endpoint_has_moved(alice: User, router: Endpoint) -> None:
    key = make_personal_key(alice, router)
    router.base_url = "https://evil.example/v1"
    router.save()

    with pytest.raises(KeyElsewhere):
        open_credential(f"personal:{key.pk}", alice, router)


def test_a_key_is_refused_for_another_endpoint(alice: User, router: Endpoint) -> None:
    key = make_personal_key(alice, router)
    other = make_endpoint("other", base_url="https://other.example/v1")

    with pytest.raises(KeyNotYours):
        open_credential(f"personal:{key.pk}", alice, other)


def test_a_disabled_person_opens_nothing(alice: User, router: Endpoint) -> None:
    key = make_personal_key(alice, router)
    disable_user(alice)

    with pytest.raises(KeyNotYours):
        open_credential(f"personal:{key.pk}", alice, router)


def test_the_environments_token_is_for_administrators_and_the_router(
    alice: User, ada: User, router: Endpoint, settings: LazySettings
) -> None:
    settings.HF_TOKEN = SECRET
    other = make_endpoint("other", base_url="https://other.example/v1")

    credential = open_credential("environment", ada, router)

    assert credential and (credential.secret, credential.host) == (SECRET, "router.huggingface.co")
    for user, endpoint in ((alice, router), (ada, other)):
        with pytest.raises(KeyNotYours):
            open_credential("environment", user, endpoint)


@pytest.mark.parametrize("lost", ["is_active", "is_superuser"])
def test_rights_count_as_they_are_now_not_as_they_were_read(
    ada: User, router: Endpoint, settings: LazySettings, lost: str
) -> None:
    settings.HF_TOKEN = SECRET
    refs = ["environment"]
    if lost == "is_active":
        refs += [f"personal:{make_personal_key(ada, router).pk}", f"shared:{make_shared_key(router, ada).pk}"]
    User.objects.filter(pk=ada.pk).update(**{lost: False})

    for ref in refs:
        with pytest.raises(KeyNotYours):
            open_credential(ref, ada, router)


def test_an_endpoint_that_needs_no_key_gets_none(alice: User, router: Endpoint) -> None:
    local = make_local_endpoint()

    assert open_credential("none", alice, local) is None
    assert open_credential("", alice, local) is None
    for ref in ("none", ""):
        with pytest.raises(NoKey):
            open_credential(ref, alice, router)


@pytest.mark.parametrize(
    "ref", ["personal:", "personal:x", "personal:²", "shared:-1", "other:1", "personal:1:1", "personal:" + "9" * 30]
)
def test_invented_references_are_refused(alice: User, router: Endpoint, ref: str) -> None:
    with pytest.raises(KeyNotYours):
        open_credential(ref, alice, router)
