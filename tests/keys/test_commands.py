"""``manage.py rotate_encryption_key`` makes older encryption keys dispensable; ``check_keys`` says what works."""

import base64
import os
from io import StringIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys import vault
from chat.keys.fingerprint import fingerprint
from chat.keys.models import PersonalKey, SharedKey
from chat.keys.vault import Binding, open_sealed
from chat.sign_in import hub_tokens
from chat.sign_in.models import HubToken
from playground.key_file import KeyFile
from tests.factories import make_endpoint, make_personal_key, make_shared_key
from tests.keys.hub import Hub, fine_grained, whoami


def fresh_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def run(command: str, **options: object) -> str:
    out = StringIO()
    call_command(command, stdout=out, stderr=out, **options)
    return out.getvalue()


def secrets() -> list[str]:
    return [open_sealed(key.sealed, Binding.of(key)) for key in (PersonalKey.objects.get(), SharedKey.objects.get())]


@pytest.fixture
def in_the_environment(settings: LazySettings) -> None:
    settings.ENCRYPTION_KEY_FILE = None


@pytest.fixture
def file(tmp_path: Path, settings: LazySettings) -> KeyFile:
    """The keys are kept in a file, which holds one."""
    path = tmp_path / "encryption_key"
    path.write_text(fresh_key())
    settings.ENCRYPTION_KEY_FILE = KeyFile(path)
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEY_FILE.read()
    return KeyFile(path)


@pytest.mark.usefixtures("in_the_environment")
def test_after_it_the_new_key_alone_opens_everything(alice: User, router: Endpoint, settings: LazySettings) -> None:
    old, new = fresh_key(), fresh_key()
    settings.ENCRYPTION_KEYS = (old,)
    make_personal_key(alice, router, "hf_one")
    make_shared_key(router, secret="hf_two")

    settings.ENCRYPTION_KEYS = (new, old)
    first, second = run("rotate_encryption_key"), run("rotate_encryption_key")

    settings.ENCRYPTION_KEYS = (new,)
    assert secrets() == ["hf_one", "hf_two"]
    assert first.startswith("Sealed again: 2.\nOlder encryption keys can now be taken out")
    assert second.startswith("Sealed again: 0.")


@pytest.mark.usefixtures("in_the_environment")
def test_with_one_key_in_the_environment_it_says_what_to_do(router: Endpoint, db: None) -> None:
    make_shared_key(router)

    assert "For a new one: put it first there" in run("rotate_encryption_key")


def test_a_key_kept_in_a_file_is_replaced_by_a_new_one(alice: User, router: Endpoint, file: KeyFile) -> None:
    make_personal_key(alice, router, "hf_one")
    make_shared_key(router, secret="hf_two")
    before = file.read()

    said = run("rotate_encryption_key", grace=0)

    [after] = file.read()
    assert after not in before and file.path.stat().st_mode & 0o777 == 0o600
    assert said == "Sealed again: 2.\nThe older encryption key is forgotten.\n"
    assert after not in said
    assert secrets() == ["hf_one", "hf_two"]


def test_what_was_broken_off_goes_on_with_the_key_that_it_made(
    alice: User, router: Endpoint, file: KeyFile, settings: LazySettings
) -> None:
    make_personal_key(alice, router, "hf_one")
    made, old = fresh_key(), file.read()[0]
    file.write((made, old))
    make_shared_key(router, secret="hf_two")

    said = run("rotate_encryption_key", grace=0)

    assert file.read() == (made,)
    assert said.startswith("Going on where it was broken off.\nSealed again: 1.")
    assert secrets() == ["hf_one", "hf_two"]


def test_one_that_cannot_be_opened_keeps_the_older_keys_and_the_rest_is_sealed(
    alice: User, router: Endpoint, file: KeyFile
) -> None:
    lost = make_personal_key(alice, router, "hf_one")
    PersonalKey.objects.update(sealed=f"v1.0badc0de.{lost.sealed.rpartition('.')[2]}")
    make_shared_key(router, secret="hf_two")

    with pytest.raises(CommandError, match=rf"{lost.display} \(personal key {lost.pk}\)"):
        run("rotate_encryption_key", grace=0)

    new, _old = file.read()
    assert vault.encryption_keys()[0] == new
    assert vault.sealed_with_newest(SharedKey.objects.get().sealed)


def test_a_secret_that_is_replaced_meanwhile_is_not_brought_back(
    router: Endpoint, file: KeyFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_shared_key(router, secret="hf_two")
    file.write((fresh_key(), *file.read()))
    newer = vault.seal("hf_newer", Binding.of(key))

    def replaced_while_sealing(secret: str, binding: Binding) -> str:
        SharedKey.objects.update(sealed=newer)
        return vault.seal(secret, binding)

    monkeypatch.setattr("chat.keys.rotation.seal", replaced_while_sealing)
    run("rotate_encryption_key", grace=0)

    assert open_sealed(SharedKey.objects.get().sealed, Binding.of(key)) == "hf_newer"


def test_fingerprints_outlive_it_and_are_mended_after_a_change_of_the_secret_key(
    router: Endpoint, file: KeyFile, settings: LazySettings
) -> None:
    make_shared_key(router, secret="hf_two", fingerprint=fingerprint("hf_two"))
    run("rotate_encryption_key", grace=0)
    kept = SharedKey.objects.get().fingerprint
    assert kept == fingerprint("hf_two")

    settings.SECRET_KEY = "another secret key that is long enough to be one, and then some"
    assert kept != fingerprint("hf_two")
    run("rotate_encryption_key", grace=0)

    assert SharedKey.objects.get().fingerprint == fingerprint("hf_two")


def test_what_renews_a_token_of_signing_in_is_sealed_anew_too(alice: User, router: Endpoint, file: KeyFile) -> None:
    tokens = hub_tokens.Tokens("hf_oauth_access", "hf_oauth_renewal", timezone.now())
    hub_tokens.keep(alice, tokens)

    said = run("rotate_encryption_key", grace=0)

    kept = HubToken.objects.select_related("key").get()
    assert said.startswith("Sealed again: 2.")
    binding = Binding("hub renewal", kept.key.host, str(alice.pk))
    assert open_sealed(kept.renewal_sealed, binding) == "hf_oauth_renewal"


def test_retired_keys_have_nothing_to_seal(router: Endpoint, file: KeyFile) -> None:
    make_shared_key(router)
    SharedKey.objects.update(sealed="")

    assert run("rotate_encryption_key", grace=0).startswith("Sealed again: 0.")


@pytest.mark.django_db(transaction=True)
def test_all_keys_are_checked_and_the_outcome_is_said(alice: User, router: Endpoint, hub: Hub) -> None:
    hub.says = {"hf_canary_team_aaaa": whoami("lab"), "hf_canary_mine_bbbb": fine_grained()}
    make_shared_key(router, secret="hf_canary_team_aaaa")
    make_personal_key(alice, router, "hf_canary_mine_bbbb")
    other = make_endpoint("other", kind=Endpoint.Kind.OPENAI, base_url="https://other.example/v1")
    moved = make_personal_key(alice, router, "hf_canary_gone_cccc", label="Gone")
    PersonalKey.objects.filter(pk=moved.pk).update(endpoint=other)

    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_keys", stdout=out, stderr=out)

    said = out.getvalue().splitlines()
    assert ended.value.code == 1 and "canary" not in out.getvalue()
    assert said[0].startswith("Team key …aaaa (shared, Router): works. Belongs to lab.")
    assert said[1].startswith("My token …bbbb (alice, Router): does not work.")
    assert said[2].startswith("Gone …cccc (alice, Other): does not work. The provider's address has changed")
    assert said[3] == "2 do not work."


@pytest.mark.django_db(transaction=True)
def test_keys_that_work_end_the_check_well(router: Endpoint, hub: Hub, alice: User) -> None:
    hub.says = {"hf_canary_team_aaaa": whoami("lab")}
    make_shared_key(router, secret="hf_canary_team_aaaa")
    make_personal_key(alice, router, "hf_canary_mine_bbbb")

    assert run("check_keys", shared=True).count("\n") == 1
