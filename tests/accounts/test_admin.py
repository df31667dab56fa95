"""Django admin lets people in and out, but shows nobody's words and gives nobody another's account."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from chat.accounts.models import Invitation, User
from tests.factories import PASSWORD, make_administrator, make_user

pytestmark = pytest.mark.django_db
LINK = re.compile(r"http://[^\s<&]+/(in|join)/[\w-]{43}/")
PERSON = {"username": "bob", "is_active": "on"}


@pytest.fixture
def ada(client: Client) -> User:
    ada = make_administrator()
    client.force_login(ada)
    return ada


def test_a_new_invitation_shows_its_link_once(client: Client, ada: User) -> None:
    fields = {"label": "For Bob", "places": "1", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}

    shown = client.post(reverse("admin:chat_invitation_add"), fields, follow=True).content.decode()
    later = client.get(reverse("admin:chat_invitation_changelist")).content.decode()

    link = LINK.search(shown)
    assert link
    assert not LINK.search(later)
    assert Invitation.objects.get().created_by == ada
    assert Client().get(link.group()).status_code == 200


def test_changing_an_invitation_makes_no_new_link(client: Client, ada: User) -> None:
    fields = {"label": "For Bob", "places": "1", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}
    client.post(reverse("admin:chat_invitation_add"), fields)
    before = Invitation.objects.get()

    client.post(reverse("admin:chat_invitation_change", args=[before.pk]), fields | {"label": "For Charlie"})

    after = Invitation.objects.get()
    assert (after.label, after.token_hash) == ("For Charlie", before.token_hash)


def test_an_account_made_without_a_password_comes_with_a_link(client: Client, ada: User) -> None:
    fields = {"username": "bob", "usable_password": "false"}

    shown = client.post(reverse("admin:chat_user_add"), fields, follow=True).content.decode()

    link = LINK.search(shown)
    assert link and "Sign in as bob" in Client().get(link.group()).content.decode()


def test_an_account_made_with_a_password_signs_in_with_it(client: Client, ada: User) -> None:
    fields = {"username": "bob", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    client.post(reverse("admin:chat_user_add"), fields)

    assert Client().login(username="bob", password=PASSWORD)


def test_unticking_active_ends_the_sessions(client: Client, ada: User) -> None:
    bob, browser = make_user("bob"), Client()
    browser.force_login(bob)

    client.post(reverse("admin:chat_user_change", args=[bob.pk]), {"username": "bob"})

    bob.refresh_from_db()
    assert not bob.is_active
    assert bob.session_generation == 1
    assert browser.get(reverse("account_change_password")).status_code == 302


def test_switching_off_many_ends_their_sessions_and_spares_oneself(client: Client, ada: User) -> None:
    bob = make_user("bob")

    client.post(reverse("admin:chat_user_changelist"), {"action": "switch_off", "_selected_action": [ada.pk, bob.pk]})

    assert set(User.objects.values_list("username", "is_active", "session_generation")) == {
        ("ada", True, 0),
        ("bob", False, 1),
    }


def test_nobody_sets_anothers_password_or_address(client: Client, ada: User) -> None:
    bob = make_user("bob", email="bob@example.com")

    password = client.get(reverse("admin:auth_user_password_change", args=[bob.pk]))
    client.post(reverse("admin:chat_user_change", args=[bob.pk]), PERSON | {"email": "ada@example.com"})

    bob.refresh_from_db()
    assert password.status_code == 403
    assert bob.email == "bob@example.com"
    assert not {model._meta.label for model in admin.site._registry} & {"account.EmailAddress", "mfa.Authenticator"}


def test_what_a_person_wrote_is_on_no_page_about_them(client: Client, ada: User) -> None:
    bob = make_user("bob", default_system_prompt="canary prompt", default_parameters={"stop": ["canary stop"]})

    pages = [
        client.get(reverse("admin:chat_user_changelist")),
        client.get(reverse("admin:chat_user_change", args=[bob.pk])),
        client.get(reverse("admin:chat_user_delete", args=[bob.pk])),
        client.get(reverse("admin:chat_user_history", args=[bob.pk])),
    ]

    assert [page.status_code for page in pages] == [200] * 4
    assert not any(b"canary" in page.content for page in pages)


def test_chats_answers_and_own_keys_have_no_admin_pages() -> None:
    private = {"Conversation", "Lane", "Turn", "Message", "Run", "RunChunk", "PersonalKey", "SignInLink"}

    shown = {model.__name__ for model in admin.site._registry}

    assert shown & private == set()
    assert {"User", "Invitation", "SharedKey"} <= shown


def test_deleting_a_person_names_the_person_only(client: Client, ada: User) -> None:
    from chat.conversations.models import Conversation

    bob = make_user("bob")
    Conversation.objects.create(owner=bob, title="canary title")

    asked = client.get(reverse("admin:chat_user_delete", args=[bob.pk]))
    client.post(reverse("admin:chat_user_delete", args=[bob.pk]), {"post": "yes"})

    assert b"bob with all chats and keys" in asked.content
    assert b"canary" not in asked.content
    assert not User.objects.filter(username="bob").exists()


def test_staff_cannot_reach_administrators_or_make_themselves_one(client: Client) -> None:
    ada, staff = make_administrator(), make_user("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="chat", codename__endswith="_user"))
    client.force_login(staff)

    client.post(reverse("admin:chat_user_change", args=[ada.pk]), {"username": "ada"})
    client.post(reverse("admin:chat_user_changelist"), {"action": "switch_off", "_selected_action": [ada.pk]})
    client.post(reverse("admin:chat_user_delete", args=[ada.pk]), {"post": "yes"})
    client.post(
        reverse("admin:chat_user_change", args=[staff.pk]),
        PERSON | {"username": "staff", "is_staff": "on", "is_superuser": "on"},
    )

    ada.refresh_from_db()
    staff.refresh_from_db()
    assert ada.is_active
    assert not staff.is_superuser


def test_the_admin_pages_use_the_throttled_sign_in(client: Client) -> None:
    answer = client.get(reverse("admin:login"))

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_the_own_password_is_changed_where_tries_are_counted(client: Client, ada: User) -> None:
    fields = {"old_password": PASSWORD, "new_password1": "another good phrase", "new_password2": "another good phrase"}

    answers = [client.get(reverse("admin:password_change")), client.post(reverse("admin:password_change"), fields)]

    assert [answer["Location"] for answer in answers] == [reverse("account_change_password")] * 2
    ada.refresh_from_db()
    assert ada.check_password(PASSWORD)


def test_wrong_tries_at_the_own_password_are_counted(client: Client, ada: User) -> None:
    fields = {"oldpassword": "wrong", "password1": "another good phrase", "password2": "another good phrase"}

    statuses = [client.post(reverse("account_change_password"), fields).status_code for _ in range(7)]

    assert statuses[0] == 200 and statuses[-1] == 429
