"""Signing in with Hugging Face, against an OpenID provider that checks what a real one does."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.conf import LazySettings
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.accounts.actions import create_invitation
from chat.accounts.models import Invitation, User
from chat.catalogue.models import Endpoint
from chat.keys.models import PersonalKey
from chat.keys.vault import open_key
from chat.sign_in.hub_tokens import renew_due
from chat.sign_in.models import HubToken
from tests.factories import make_endpoint, make_user
from tests.sign_in.conftest import let_pass
from tests.sign_in.open_id import CLIENT, SECRET, OpenId
from tests.sign_in.test_second_factors import code, set_up_app

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/oidc/huggingface/login/"
CONNECTIONS = "/accounts/3rdparty/"


@pytest.fixture
def hub(settings: LazySettings) -> Iterator[OpenId]:
    hub = OpenId()
    settings.HF_HUB_URL = hub.url
    settings.HF_OAUTH_CLIENT_ID, settings.HF_OAUTH_CLIENT_SECRET = CLIENT, SECRET
    yield hub
    hub.close()


@pytest.fixture
def router(db: None) -> Endpoint:
    return make_endpoint()


def go(browser: Client, hub: OpenId, process: str = "login") -> str:
    """Leave for the hub, consent there, come back; return where that leads."""
    left = browser.post(f"{LOGIN}?process={process}")
    assert left["Location"].startswith(f"{hub.url}/oauth/authorize?")
    back = browser.get(hub.consent(left["Location"]))
    return str(back.headers.get("Location", back.status_code))


def connected(hub: OpenId, username: str = "alice") -> tuple[User, Client]:
    """Somebody whose account is connected, at their browser."""
    alice, browser = make_user(username), Client()
    browser.force_login(alice)
    go(browser, hub, "connect")
    return alice, browser


def secret_of(user: User) -> str:
    key = PersonalKey.objects.get(user=user)
    credential = open_key(key, key.endpoint)
    return credential.secret


def everything_stored() -> str:
    rows = [*HubToken.objects.values(), *PersonalKey.objects.values(), *SocialAccount.objects.values()]
    return str(rows + [session.get_decoded() for session in Session.objects.all()])


def test_without_a_client_there_is_no_such_way(client: Client) -> None:
    page = client.get(reverse("account_login"))

    assert b"Hugging Face" not in page.content
    assert client.post(LOGIN).status_code == 404


def test_it_asks_for_inference_with_state_and_a_challenge(client: Client, hub: OpenId, router: Endpoint) -> None:
    page = client.get(reverse("account_login"))
    go(client, hub)

    [asked] = hub.asked
    assert b"Sign in with Hugging Face" in page.content
    assert set(asked["scope"].split()) == {"openid", "profile", "inference-api"}
    assert len(asked["state"]) >= 16 and asked["code_challenge_method"] == "S256"


def test_a_look_at_the_address_goes_nowhere(client: Client, hub: OpenId) -> None:
    assert client.get(LOGIN).status_code == 200


def test_a_person_connects_and_has_a_key_of_their_own(hub: OpenId, router: Endpoint) -> None:
    alice, browser = connected(hub)

    page = browser.get(CONNECTIONS).content.decode()

    assert secret_of(alice) == hub.given[-1]
    assert "Hugging Face: anna" in page
    assert "Hugging Face sign-in" in browser.get("/keys/").content.decode()


def test_nothing_that_was_given_lies_in_the_clear(hub: OpenId, router: Endpoint) -> None:
    connected(hub)

    stored = everything_stored()

    assert not [secret for secret in (*hub.given, *hub.renewals, SECRET) if secret in stored]
    assert not SocialToken.objects.exists()


def test_who_is_connected_signs_in_with_it_and_the_key_is_the_newest(hub: OpenId, router: Endpoint) -> None:
    alice, _ = connected(hub)
    elsewhere = Client()

    assert go(elsewhere, hub) == "/"
    assert elsewhere.session["_auth_user_id"] == str(alice.pk)
    assert secret_of(alice) == hub.given[-1] != hub.given[0]


def test_the_second_factor_is_asked_for_and_nothing_waits_in_the_clear(hub: OpenId, router: Endpoint) -> None:
    alice, browser = connected(hub)
    secret = set_up_app(browser)
    elsewhere = Client()

    led = go(elsewhere, hub)
    waiting, before = everything_stored(), secret_of(alice)
    elsewhere.post(led, {"code": code(secret)})

    assert led == reverse("mfa_authenticate")
    assert hub.given[-1] not in waiting and before == hub.given[0]
    assert secret_of(alice) == hub.given[-1]


def test_who_went_away_half_way_leaves_their_token_to_nobody_else(hub: OpenId, router: Endpoint) -> None:
    _, browser = connected(hub)
    set_up_app(browser)
    hub.sub = "bobs"
    bob, _ = connected(hub, "bob")
    hub.sub = "5f00aa"
    shared = Client()
    go(shared, hub)

    shared.force_login(bob)

    assert secret_of(bob) == hub.given[1] != hub.given[-1]


def test_a_stranger_makes_no_account(client: Client, hub: OpenId, router: Endpoint) -> None:
    assert go(client, hub) == "200"
    assert not User.objects.exists()


def test_a_stranger_makes_one_where_everybody_may(
    client: Client, hub: OpenId, router: Endpoint, settings: LazySettings
) -> None:
    settings.SIGNUP = "open"

    go(client, hub)

    assert User.objects.get().username == "anna"
    assert secret_of(User.objects.get()) == hub.given[-1]


def test_an_invitation_makes_one_account(client: Client, hub: OpenId, router: Endpoint) -> None:
    _, token = create_invitation(None)
    client.get(f"/join/{token}/")
    second = Client()
    second.get(f"/join/{token}/")

    go(client, hub)
    hub.sub, hub.name = "other", "otto"
    refused = go(second, hub)

    assert [user.username for user in User.objects.all()] == ["anna"]
    assert Invitation.objects.get().used_by == User.objects.get()
    assert refused == "410"


def test_a_name_that_is_taken_here_is_not_taken_over(
    client: Client, hub: OpenId, router: Endpoint, settings: LazySettings
) -> None:
    settings.SIGNUP = "open"
    anna = make_user("anna")

    go(client, hub)

    assert client.session["_auth_user_id"] != str(anna.pk)
    assert not SocialAccount.objects.filter(user=anna).exists()


def test_a_state_of_another_browser_is_refused(client: Client, hub: OpenId, router: Endpoint) -> None:
    alice, _ = connected(hub)
    left = Client().post(f"{LOGIN}?process=login")

    answer = client.get(hub.consent(left["Location"]))

    assert b"did not confirm who you are" in answer.content
    assert "_auth_user_id" not in client.session


def test_connecting_needs_a_fresh_sign_in(client: Client, hub: OpenId, router: Endpoint) -> None:
    client.force_login(make_user())
    let_pass(client, 16)

    answer = client.post(f"{LOGIN}?process=connect")

    assert answer["Location"].startswith(reverse("account_reauthenticate"))


def test_an_account_elsewhere_is_one_persons(hub: OpenId, router: Endpoint) -> None:
    alice, _ = connected(hub)
    bob, _ = connected(hub, "bob")

    assert [account.user for account in SocialAccount.objects.all()] == [alice]
    assert not PersonalKey.objects.filter(user=bob).exists()


def test_disconnecting_deletes_the_key(hub: OpenId, router: Endpoint) -> None:
    alice, browser = connected(hub)

    browser.post(CONNECTIONS, {"account": SocialAccount.objects.get().pk})

    assert not PersonalKey.objects.exists() and not HubToken.objects.exists()
    assert not SocialAccount.objects.exists()


def test_what_ends_soon_is_renewed(hub: OpenId, router: Endpoint) -> None:
    alice, _ = connected(hub)
    too_early = renew_due()
    HubToken.objects.update(expires_at=timezone.now() + timedelta(minutes=19))

    renewed = [renew_due(), renew_due()]

    assert (too_early, renewed) == (0, [1, 0])
    assert len(hub.given) == 2 and secret_of(alice) == hub.given[-1]
    assert HubToken.objects.get().expires_at > timezone.now() + timedelta(hours=7)
    assert not [secret for secret in (*hub.given, *hub.renewals) if secret in everything_stored()]


def test_a_renewal_goes_on_from_the_newest(hub: OpenId, router: Endpoint) -> None:
    alice, _ = connected(hub)
    for _ in range(3):
        HubToken.objects.update(expires_at=timezone.now(), try_at=timezone.now())
        renew_due()

    assert secret_of(alice) == hub.given[3]


def test_a_hub_that_is_away_is_asked_again_later(hub: OpenId, router: Endpoint) -> None:
    alice, _ = connected(hub)
    HubToken.objects.update(expires_at=timezone.now())
    hub.is_down = True

    tried = [renew_due(), renew_due()]
    hub.is_down = False
    HubToken.objects.update(try_at=timezone.now())

    assert tried == [0, 0]
    assert renew_due() == 1
    assert secret_of(alice) == hub.given[-1]


def test_a_renewal_that_is_refused_is_said_on_the_key(hub: OpenId, router: Endpoint) -> None:
    _, browser = connected(hub)
    HubToken.objects.update(expires_at=timezone.now())
    hub.renewals.append("something newer")

    renew_due()

    assert "Sign in with Hugging Face again." in browser.get("/keys/").content.decode()
    assert HubToken.objects.get().renewal_sealed == ""
