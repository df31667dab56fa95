"""Second factors: set up, asked for at every door, sealed in the database, and required of administrators."""

import json
import time
from collections.abc import Iterator
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import LazySettings
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from chat.accounts.actions import create_signin_link
from chat.accounts.models import User
from chat.accounts.second_factor import has_second_factor
from chat.accounts.sockets import session_is_valid
from chat.keys.rotation import reseal_all
from playground.environment import fresh_encryption_key
from tests.accounts.test_account_pages import INLINE
from tests.factories import PASSWORD, make_administrator, make_user
from tests.sign_in.conftest import let_pass

pytestmark = pytest.mark.django_db
PAGES = ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn", "mfa_generate_recovery_codes")


@pytest.fixture
def alice(client: Client) -> User:
    alice = make_user()
    client.force_login(alice)
    return alice


def code(secret: str) -> str:
    """What an authenticator app would show now."""
    shown: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return shown


def set_up_app(browser: Client) -> str:
    """Tie an app to the account of this browser and return its secret."""
    browser.get(reverse("mfa_activate_totp"))
    secret: str = browser.session["mfa.totp.secret"]
    answer = browser.post(reverse("mfa_activate_totp"), {"code": code(secret)})
    assert answer.status_code == 302
    return secret


def codes_of(browser: Client) -> Iterator[str]:
    """The recovery codes as they can be downloaded."""
    yield from browser.get(reverse("mfa_download_recovery_codes")).content.decode().split()


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_ours(client: Client, alice: User, name: str) -> None:
    page = client.get(reverse(name))

    assert page.status_code == 200
    assert b"main.css" in page.content and b'class="page' in page.content
    assert not INLINE.search(page.content)


def test_the_app_is_asked_for_after_the_password(client: Client, alice: User) -> None:
    secret, browser = set_up_app(client), Client()

    asked = browser.post(reverse("account_login"), {"login": "alice", "password": PASSWORD})
    before = browser.get("/settings/").status_code
    page = browser.get(asked["Location"])
    browser.post(asked["Location"], {"code": code(secret)})

    assert (asked["Location"], before) == (reverse("mfa_authenticate"), 302)
    assert b"One more step" in page.content and not INLINE.search(page.content)
    assert browser.get("/settings/").status_code == 200


def test_a_wrong_code_lets_nobody_in(client: Client, alice: User) -> None:
    set_up_app(client)
    browser = Client()
    browser.post(reverse("account_login"), {"login": "alice", "password": PASSWORD})

    answer = browser.post(reverse("mfa_authenticate"), {"code": "000000"})

    assert b"Incorrect code" in answer.content
    assert browser.get("/settings/").status_code == 302


def test_a_code_works_once(client: Client, alice: User) -> None:
    secret, now = set_up_app(client), Client()
    shown = code(secret)
    for browser in (now, late := Client()):
        browser.post(reverse("account_login"), {"login": "alice", "password": PASSWORD})
        browser.post(reverse("mfa_authenticate"), {"code": shown})

    assert now.get("/settings/").status_code == 200
    assert late.get("/settings/").status_code == 302


def test_guessing_codes_is_throttled(client: Client, alice: User) -> None:
    secret, browser = set_up_app(client), Client()
    browser.post(reverse("account_login"), {"login": "alice", "password": PASSWORD})
    for _ in range(6):
        answer = browser.post(reverse("mfa_authenticate"), {"code": "000000"})
    right = browser.post(reverse("mfa_authenticate"), {"code": code(secret)})

    assert b"Too many" in answer.content
    assert b"Too many" in right.content


def test_a_one_time_link_asks_for_it_too(client: Client, alice: User) -> None:
    set_up_app(client)
    browser = Client()

    asked = browser.post(f"/in/{create_signin_link(alice)[1]}/")

    assert asked["Location"] == reverse("mfa_authenticate")
    assert browser.get("/settings/").status_code == 302


def test_a_recovery_code_works_once(client: Client, alice: User) -> None:
    set_up_app(client)
    one = next(codes_of(client))
    for browser in (now := Client(), late := Client()):
        browser.post(reverse("account_login"), {"login": "alice", "password": PASSWORD})
        browser.post(reverse("mfa_authenticate"), {"code": one})

    assert now.get("/settings/").status_code == 200
    assert late.get("/settings/").status_code == 302


def test_the_database_holds_no_factor_in_the_clear(client: Client, alice: User) -> None:
    secret = set_up_app(client)
    codes = list(codes_of(client))

    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))

    assert len(codes) == 10
    assert not [word for word in (secret, *codes) if word in stored]
    assert stored.count('"v1.') == 2


def test_a_stale_session_sees_no_recovery_codes(client: Client, alice: User) -> None:
    set_up_app(client)
    let_pass(client, 16)

    for name in ("mfa_view_recovery_codes", "mfa_download_recovery_codes", "mfa_deactivate_totp"):
        assert client.get(reverse(name))["Location"].startswith(reverse("account_reauthenticate"))


def test_a_code_proves_anew_who_one_is(client: Client, alice: User) -> None:
    secret = set_up_app(client)
    let_pass(client, 16)
    cache.clear()

    asked = client.get(reverse("mfa_reauthenticate"), {"next": reverse("mfa_view_recovery_codes")})
    client.post(reverse("mfa_reauthenticate"), {"code": code(secret)})

    assert not INLINE.search(asked.content)
    assert client.get(reverse("mfa_view_recovery_codes")).status_code == 200


def test_an_administrator_without_one_does_nothing_where_it_is_required(client: Client, settings: LazySettings) -> None:
    settings.REQUIRE_ADMIN_MFA = True
    ada = make_administrator()
    client.force_login(ada)
    key = client.session.session_key or ""

    led = [client.get("/"), client.get("/admin/"), client.post("/admin/chat/invitation/add/", {"label": "x"})]
    page = client.get(reverse("mfa_index"))
    before = session_is_valid(ada.pk, key)
    set_up_app(client)

    assert [answer["Location"] for answer in led] == [reverse("mfa_index")] * 3
    assert b"sign in with a second factor" in page.content
    assert (before, session_is_valid(ada.pk, key)) == (False, True)
    assert client.get("/admin/").status_code == 200


def test_members_need_none_where_administrators_do(client: Client, alice: User, settings: LazySettings) -> None:
    settings.REQUIRE_ADMIN_MFA = True

    assert client.get("/settings/").status_code == 200
    assert session_is_valid(alice.pk, client.session.session_key or "")


def test_who_has_lost_them_all_is_helped_on_the_server(client: Client, alice: User) -> None:
    set_up_app(client)

    call_command("signin_link", "alice", "--without-second-factor", stdout=StringIO())

    assert not has_second_factor(alice)
    assert not Authenticator.objects.exists()


def test_factors_are_sealed_anew_with_the_keys_and_used_codes_stay_used(
    client: Client, alice: User, settings: LazySettings
) -> None:
    secret = set_up_app(client)
    codes = list(codes_of(client))
    sign_in(codes[0])
    settings.ENCRYPTION_KEYS = [fresh_encryption_key(), *settings.ENCRYPTION_KEYS]

    done, again = reseal_all(), reseal_all()
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[:1]
    cache.clear()

    assert (done.number, done.unreadable, again.number) == (2, [], 0)
    assert sign_in(codes[0]).get("/settings/").status_code == 302
    assert sign_in(codes[1]).get("/settings/").status_code == 200
    assert sign_in(code(secret)).get("/settings/").status_code == 200


def sign_in(proof: str) -> Client:
    """The browser of somebody who typed alice's password, then ``proof``."""
    browser = Client()
    browser.post(reverse("account_login"), {"login": "alice", "password": PASSWORD})
    browser.post(reverse("mfa_authenticate"), {"code": proof})
    return browser
