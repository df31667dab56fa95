"""What an administrator changes needs a sign-in of the last 15 minutes; nothing typed is lost over it."""

from urllib.parse import urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from chat.accounts.actions import create_signin_link
from chat.accounts.models import Invitation, User
from chat.catalogue.models import Endpoint
from chat.keys.models import PersonalKey, SharedKey
from chat.sign_in.suspension import LONGEST
from tests.factories import PASSWORD, make_administrator, make_endpoint, make_user
from tests.sign_in.conftest import let_pass

pytestmark = pytest.mark.django_db
ADD = "/admin/chat/invitation/add/"
FIELDS = {"label": "For Bob", "places": "1", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}
AGAIN = "/accounts/reauthenticate/"
SECRET = "hf_canary_typed_before_it_was_asked"


def path(address: str) -> str:
    return urlsplit(address).path


def test_a_fresh_sign_in_is_not_asked_again(client: Client, ada: User) -> None:
    let_pass(client, 14.9)

    client.post(ADD, FIELDS)

    assert Invitation.objects.get().label == "For Bob"


def test_an_old_one_is_asked_and_the_work_goes_on_by_itself(client: Client, ada: User) -> None:
    let_pass(client, 15.1)

    asked = client.post(ADD, FIELDS)
    before = Invitation.objects.count()
    proved = client.post(asked["Location"], {"password": PASSWORD})
    done = client.get(proved["Location"], follow=True)

    assert (path(asked["Location"]), before) == (AGAIN, 0)
    assert Invitation.objects.get().label == "For Bob"
    assert "/join/" in done.content.decode()


def test_it_goes_on_once(client: Client, ada: User) -> None:
    let_pass(client, 16)
    asked = client.post(ADD, FIELDS)
    client.post(asked["Location"], {"password": PASSWORD})

    client.get(ADD)
    again = client.get(ADD)

    assert Invitation.objects.count() == 1
    assert b"Add invitation" in again.content


def test_a_wrong_password_does_nothing(client: Client, ada: User) -> None:
    let_pass(client, 16)
    asked = client.post(ADD, FIELDS)

    client.post(asked["Location"], {"password": "wrong"})
    client.get(ADD)

    assert not Invitation.objects.exists()


def test_looking_is_free(client: Client, ada: User) -> None:
    let_pass(client, 600)

    assert client.get(ADD).status_code == 200
    assert client.get("/admin/chat/user/").status_code == 200


def test_leaving_is_free(client: Client, ada: User) -> None:
    let_pass(client, 600)

    client.post(reverse("admin:logout"))

    assert "_auth_user_id" not in client.session


def test_members_are_not_asked_about_their_own_chats(client: Client) -> None:
    client.force_login(make_user())
    let_pass(client, 600)

    assert path(client.post("/settings/theme/", {"theme": "dark"})["Location"]) == "/"


def test_a_form_with_mistakes_comes_back_at_its_own_address(client: Client, ada: User) -> None:
    let_pass(client, 16)
    asked = client.post(ADD, FIELDS | {"expires_at_0": "never"})

    proved = client.post(asked["Location"], {"password": PASSWORD})
    page = client.get(proved["Location"])

    assert (path(proved["Location"]), page.status_code) == (ADD, 200)
    assert b'value="For Bob"' in page.content and b"Enter a valid date" in page.content


def test_a_key_that_waits_is_nowhere_to_be_read(client: Client, ada: User) -> None:
    endpoint: Endpoint = make_endpoint(base_url="http://127.0.0.1:1/v1", kind=Endpoint.Kind.OPENAI)
    let_pass(client, 16)

    fields = {"label": "Team", "endpoint": endpoint.pk, "secret": SECRET, "enabled": "on"}
    asked = client.post("/admin/chat/sharedkey/add/", fields)
    stored = str([session.get_decoded() for session in Session.objects.all()])
    page = client.get(asked["Location"]).content.decode()
    client.post(asked["Location"], {"password": PASSWORD})
    client.get("/admin/chat/sharedkey/add/")

    assert SECRET not in asked["Location"] + stored + page
    assert "suspended_request" in stored
    assert SharedKey.objects.get().last_four == SECRET[-4:]
    assert "suspended_request" not in client.session


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_an_administrators_own_keys_need_it_too(client: Client, ada: User, headers: dict[str, str]) -> None:
    endpoint = make_endpoint(base_url="http://127.0.0.1:1/v1", kind=Endpoint.Kind.OPENAI)
    let_pass(client, 16)

    asked = client.post("/keys/add/", {"secret": SECRET, "endpoint": endpoint.pk}, headers=headers)
    proved = client.post(asked.get("HX-Redirect") or asked["Location"], {"password": PASSWORD})
    before = PersonalKey.objects.count()
    page = client.get(proved["Location"], follow=True)

    assert (before, PersonalKey.objects.get().user) == (0, ada)
    assert f"Only …{SECRET[-4:]} is shown from now on." in page.content.decode()


def test_a_members_own_keys_do_not(client: Client) -> None:
    endpoint = make_endpoint(base_url="http://127.0.0.1:1/v1", kind=Endpoint.Kind.OPENAI)
    client.force_login(make_user())
    let_pass(client, 600)

    client.post("/keys/add/", {"secret": SECRET, "endpoint": endpoint.pk})

    assert PersonalKey.objects.exists()


def test_what_waits_is_one_persons_only(client: Client, ada: User) -> None:
    let_pass(client, 16)
    client.post(ADD, FIELDS)
    kept = client.session["suspended_request"]
    other = Client()
    other.force_login(make_administrator("olga"))
    session = other.session
    session["suspended_request"] = kept
    session.save()

    other.get(ADD)

    assert not Invitation.objects.exists()


def test_what_is_too_long_to_keep_is_said_so(client: Client, ada: User) -> None:
    let_pass(client, 16)

    asked = client.post(ADD, FIELDS | {"label": "x" * LONGEST})
    page = client.get(asked["Location"])

    assert "too long to be kept" in page.content.decode()


def test_htmx_is_led_to_the_whole_page(client: Client, ada: User) -> None:
    let_pass(client, 16)

    asked = client.post(ADD, FIELDS, headers={"HX-Request": "true"})

    assert path(asked["HX-Redirect"]) == AGAIN


def test_someone_without_a_password_goes_on_with_a_new_link(client: Client, ada: User) -> None:
    ada.set_unusable_password()
    ada.save()
    client.force_login(ada)
    let_pass(client, 16)

    asked = client.post(ADD, FIELDS)
    followed = client.post(f"/in/{create_signin_link(ada)[1]}/")
    client.get(followed["Location"])

    assert (asked.status_code, b"signin_link ada" in asked.content) == (403, True)
    assert path(followed["Location"]) == ADD
    assert Invitation.objects.get().label == "For Bob"


def test_an_old_session_sets_no_first_password(client: Client, ada: User) -> None:
    ada.set_unusable_password()
    ada.save()
    client.force_login(ada)
    let_pass(client, 16)

    client.post(reverse("account_set_password"), {"password1": "a thief's phrase", "password2": "a thief's phrase"})

    ada.refresh_from_db()
    assert not ada.has_usable_password()
