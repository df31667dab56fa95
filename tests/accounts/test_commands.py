"""``manage.py signin_link`` prints a link that works."""

from io import StringIO
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from chat.accounts.actions import disable_user
from chat.accounts.models import SignInLink
from tests.factories import make_administrator, make_user

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> str:
    out = StringIO()
    call_command("signin_link", *arguments, stdout=out)
    return out.getvalue().strip()


def test_it_prints_a_link_for_the_first_active_administrator(client: Client) -> None:
    make_user()
    disable_user(make_administrator("gone"))
    ada = make_administrator()
    make_administrator("later")

    link = printed()
    client.post(urlsplit(link).path)

    assert link.startswith(settings.PUBLIC_URL + "/in/")
    assert client.session["_auth_user_id"] == str(ada.pk)


def test_it_prints_a_link_for_the_named_person(client: Client) -> None:
    alice = make_user()

    client.post(urlsplit(printed("alice")).path)

    assert client.session["_auth_user_id"] == str(alice.pk)


def test_it_can_forget_a_password() -> None:
    alice = make_user()

    printed("alice", "--new-password")

    alice.refresh_from_db()
    assert not alice.has_usable_password()


def test_it_can_work_longer() -> None:
    make_user()

    printed("alice", "--minutes", "60")

    link = SignInLink.objects.get()
    assert 59 < (link.expires_at - link.created_at).total_seconds() / 60 < 61


@pytest.mark.parametrize("arguments", [(), ("nobody",), ("off",), ("alice", "--minutes", "0")])
def test_it_refuses_with_one_sentence(arguments: tuple[str, ...]) -> None:
    make_user()
    disable_user(make_user("off"))

    with pytest.raises(CommandError, match=r"\.$"):
        printed(*arguments)

    assert not SignInLink.objects.exists()
