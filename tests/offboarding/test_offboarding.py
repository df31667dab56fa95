"""One action ends all that somebody had here; a page says so before."""

from datetime import timedelta

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from chat.accounts.actions import create_invitation, create_signin_link
from chat.accounts.models import Invitation, User
from chat.audit.models import AuditEntry
from chat.catalogue.models import Endpoint
from chat.conversations.models import Conversation
from chat.keys.models import KeyGrant, PersonalKey, SharedKey
from chat.offboarding.actions import offboard
from chat.runs.models import Run
from tests.factories import (
    PASSWORD,
    make_administrator,
    make_conversation,
    make_endpoint,
    make_personal_key,
    make_shared_key,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def router(db: None) -> Endpoint:
    return make_endpoint()


@pytest.fixture
def ada(client: Client) -> User:
    ada = make_administrator()
    client.force_login(ada)
    return ada


@pytest.fixture
def bob(router: Endpoint) -> User:
    """Somebody who has one of everything."""
    bob = make_user("bob", is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="view_notice"))
    bob.groups.add(Group.objects.create(name="Vision"))
    make_personal_key(bob, router)
    make_shared_key(router, bob)
    make_conversation(bob, endpoint=router)
    Run.objects.create(topic="t", owner=bob, endpoint=router, model_id="fake/plain", status="streaming", request="{}")
    create_invitation(bob, "For a friend")
    SocialAccount.objects.create(user=bob, provider="huggingface", uid="bobs")
    return bob


def test_the_page_says_what_will_end(client: Client, ada: User, bob: User) -> None:
    page = client.get(f"/admin/chat/user/{bob.pk}/offboard/").content.decode()
    before = client.get(f"/admin/chat/user/{bob.pk}/change/").content.decode()

    for said in (
        "1 connected account",
        "1 answer being written",
        "1 grant of shared keys: Team key …cd34",
        "1 own key, which is deleted",
        "membership in Vision",
        "the rights of an administrator",
        "1 open invitation that they made",
        "with 1 chat that nobody else reads",
    ):
        assert said in page
    assert f'href="/admin/chat/user/{bob.pk}/offboard/"' in before
    assert User.objects.get(pk=bob.pk).is_active


def test_everything_ends(client: Client, ada: User, bob: User) -> None:
    browser = Client()
    browser.force_login(bob)
    _, link = create_signin_link(bob, timedelta(days=1))
    _, theirs = create_invitation(bob)

    client.post(f"/admin/chat/user/{bob.pk}/offboard/")

    bob = User.objects.get(pk=bob.pk)
    assert (bob.is_active, bob.is_staff, bob.is_superuser, bob.has_usable_password()) == (False,) * 4
    assert browser.get("/settings/").status_code == 302
    assert not Client().login(username="bob", password=PASSWORD)
    assert Run.objects.get().status == Run.Status.STOPPED
    assert not KeyGrant.objects.exists() and not PersonalKey.objects.exists() and SharedKey.objects.exists()
    assert not bob.groups.exists() and not bob.user_permissions.exists()
    assert not SocialAccount.objects.exists()
    assert not Invitation.objects.filter(expires_at__gt=timezone.now()).exists()
    assert Client().get(f"/join/{theirs}/").status_code == 410
    assert Client().post(f"/in/{link}/").status_code in (403, 410)
    assert Conversation.objects.filter(owner=bob).count() == 1


def test_what_was_taken_stays_taken_when_the_account_is_switched_on_again(bob: User) -> None:
    offboard(bob, None)

    bob.is_active = True
    bob.save()

    assert not SharedKey.objects.granted_to(bob).exists()
    assert not Client().login(username="bob", password=PASSWORD)


def test_others_keep_what_they_have(client: Client, ada: User, bob: User, router: Endpoint) -> None:
    alice = make_user("alice")
    make_personal_key(alice, router)
    KeyGrant.objects.create(shared_key=SharedKey.objects.get(), user=alice)
    _, token = create_invitation(ada)

    client.post(f"/admin/chat/user/{bob.pk}/offboard/")

    assert [grant.user for grant in KeyGrant.objects.all()] == [alice]
    assert [key.user for key in PersonalKey.objects.all()] == [alice]
    assert Client().get(f"/join/{token}/").status_code == 200


def test_it_stands_in_the_audit_log(client: Client, ada: User, bob: User) -> None:
    client.post(f"/admin/chat/user/{bob.pk}/offboard/")

    told = set(AuditEntry.objects.filter(actor_name="ada").values_list("verb", "subject_kind"))
    assert {
        ("disabled", "user"),
        ("revoked", "grant of a shared key"),
        ("removed", "personal key"),
        ("revoked", "user"),
    } <= told


def test_nobody_offboards_themselves(client: Client, ada: User) -> None:
    assert client.post(f"/admin/chat/user/{ada.pk}/offboard/").status_code == 403
    assert User.objects.get(pk=ada.pk).is_active


def test_staff_offboard_no_administrator_and_members_nobody(client: Client, bob: User) -> None:
    ada, staff = make_administrator(), make_user("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename="change_user"))
    for person, leaving in ((staff, ada), (make_user("alice"), bob)):
        client.force_login(person)
        assert client.post(f"/admin/chat/user/{leaving.pk}/offboard/").status_code in (302, 403)

    assert User.objects.get(pk=ada.pk).is_active and User.objects.get(pk=bob.pk).is_active
