"""One link for a number of people, and a pasted list with a link for each."""

import re
import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat.accounts.actions import accept_invitation, issue
from chat.accounts.errors import LinkFull, LinkRefused
from chat.accounts.models import Invitation, User
from chat.audit.models import AuditEntry
from tests.factories import make_administrator, make_user

pytestmark = pytest.mark.django_db
MANY = "/admin/chat/invitation/many/"
LINK = re.compile(r"http://[^\s<&]+/join/[\w-]{43}/")


@pytest.fixture
def ada(client: Client) -> User:
    ada = make_administrator()
    client.force_login(ada)
    return ada


@pytest.fixture
def vision(db: None) -> Group:
    return Group.objects.create(name="Vision")


def account(name: str) -> dict[str, str]:
    return {"username": name, "password1": "a good long phrase", "password2": "a good long phrase"}


def invitation_for(places: int, **fields: object) -> str:
    return issue(Invitation(places=places, expires_at=timezone.now() + timedelta(days=1), **fields))


def test_one_link_lets_so_many_in_and_into_the_group(client: Client, ada: User, vision: Group) -> None:
    fields = {"label": "Course", "places": "2", "group": vision.pk, "expires_at_0": "2099-01-01"}
    shown = client.post(reverse("admin:chat_invitation_add"), fields | {"expires_at_1": "00:00:00"}, follow=True)
    found = LINK.search(shown.content.decode())
    assert found

    answers = [Client().post(found[0], account(name)) for name in ("dora", "emil", "fritz")]

    assert [answer.status_code for answer in answers] == [302, 302, 410]
    assert "All places of this invitation are taken." in answers[-1].content.decode()
    assert {user.username for user in vision.user_set.all()} == {"dora", "emil"}
    listed = client.get(reverse("admin:chat_invitation_changelist")).content.decode()
    assert "2 of 2 places taken" in listed


def test_an_account_that_cannot_be_made_takes_no_place(vision: Group) -> None:
    token = invitation_for(2, group=vision)

    answer = Client().post(f"/join/{token}/", account("dora") | {"password2": "another phrase"})

    assert answer.status_code == 200
    assert Invitation.objects.get().taken == 0


@pytest.mark.django_db(transaction=True)
def test_no_more_come_in_at_the_same_moment_than_there_are_places() -> None:
    token = invitation_for(3)
    start, came, refused = threading.Barrier(8), [], []

    def come(name: str) -> None:
        start.wait()
        try:
            came.append(accept_invitation(token, lambda: make_user(name)))
        except LinkRefused as refusal:
            refused.append(type(refusal))
        finally:
            connection.close()

    threads = [threading.Thread(target=come, args=(f"person{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(came), refused) == (3, [LinkFull] * 5)
    assert User.objects.count() == 3


def test_a_pasted_list_gives_each_a_link(client: Client, ada: User, vision: Group) -> None:
    text = "Dora\n\n  emil@example.com \r\nFritz"

    page = client.post(MANY, {"people": text, "group": vision.pk, "days": "3"})
    shown = page.content.decode()
    later = client.get(reverse("admin:chat_invitation_changelist")).content.decode()
    Client().post(LINK.findall(shown)[1], account("emil"))

    assert len(LINK.findall(shown)) == 3 and not LINK.search(later)
    assert "no-store" in page["Cache-Control"]
    assert list(Invitation.objects.order_by("pk").values_list("label", flat=True)) == [
        "Dora",
        "emil@example.com",
        "Fritz",
    ]
    assert Invitation.objects.get(label="emil@example.com").used_by == vision.user_set.get()
    assert Invitation.objects.filter(expires_at__lt=timezone.now() + timedelta(days=3, minutes=1)).count() == 3
    assert AuditEntry.objects.filter(subject_kind="invitation", verb="added").count() == 3


def test_what_is_wrong_is_said_by_line_and_nothing_is_lost(client: Client, ada: User) -> None:
    make_user("gina", email="gina@example.com")
    Invitation.objects.create(label="Hans", token_hash="x", expires_at=timezone.now() + timedelta(days=1))
    text = "Dora\nemil@\nDORA\nGina@Example.com\nhans\n" + "x" * 101

    page = client.post(MANY, {"people": text, "days": "7"})
    shown = page.content.decode()

    assert Invitation.objects.count() == 1
    for said in (
        "Line 2: “emil@” is not an email address.",
        "Line 3: the same as line 1.",
        "Line 4: “Gina@Example.com” has an account already.",
        "Line 5: “hans” has an open invitation already.",
        "Line 6: longer than 100 characters.",
    ):
        assert said in shown
    assert text in shown.replace("\r\n", "\n")


def test_too_long_a_list_is_refused(client: Client, ada: User) -> None:
    client.post(MANY, {"people": "\n".join(f"person {number}" for number in range(501)), "days": "7"})

    assert not Invitation.objects.exists()


def test_staff_invite_into_no_group_that_has_rights(client: Client, vision: Group) -> None:
    rulers = Group.objects.create(name="Rulers")
    rulers.permissions.add(Permission.objects.get(codename="delete_user"))
    staff = make_user("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__endswith="_invitation"))
    client.force_login(staff)
    alone = {"label": "x", "places": "1", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}

    client.post(MANY, {"people": "Dora", "group": rulers.pk, "days": "7"})
    client.post(reverse("admin:chat_invitation_add"), alone | {"group": rulers.pk})
    before = Invitation.objects.count()
    client.post(MANY, {"people": "Dora", "group": vision.pk, "days": "7"})

    assert before == 0
    assert Invitation.objects.get().group == vision


def test_others_invite_nobody(client: Client) -> None:
    client.force_login(make_user("staff", is_staff=True))

    assert client.post(MANY, {"people": "Dora", "days": "7"}).status_code == 403
