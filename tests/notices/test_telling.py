"""Administrators are told once of what they should know, on every page, until it is settled or put away."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.accounts.models import User
from chat.notices.actions import Kind, settle, tell
from chat.notices.models import Notice
from tests.factories import make_administrator, make_user

pytestmark = pytest.mark.django_db
SENTENCE = "Team key …ab12 was refused by <router> (401)."
SHOWN = "Team key …ab12 was refused by &lt;router&gt; (401)."


@pytest.fixture
def ada(client: Client) -> User:
    ada = make_administrator()
    client.force_login(ada)
    return ada


def test_an_administrator_sees_it_on_every_page_and_in_the_administration(client: Client, ada: User) -> None:
    tell(Kind.KEY_DIED, "shared:1", SENTENCE, address="/admin/chat/sharedkey/1/change/")

    for page in ("/", "/keys/", "/usage/", "/admin/", "/admin/chat/user/"):
        text = client.get(page).content.decode()
        assert SHOWN in text and 'href="/admin/chat/sharedkey/1/change/"' in text, page


def test_nobody_else_sees_it(client: Client) -> None:
    tell(Kind.KEY_DIED, "shared:1", SENTENCE)
    client.force_login(make_user())

    assert SHOWN not in client.get("/keys/").content.decode()
    assert client.post(f"/notices/{Notice.objects.get().pk}/dismiss/").status_code == 404


def test_staff_see_it_where_they_were_given_the_right(client: Client) -> None:
    tell(Kind.KEY_DIED, "shared:1", SENTENCE)
    staff = make_user("staff", is_staff=True)
    client.force_login(staff)
    before = client.get("/keys/").content.decode()
    staff.user_permissions.add(Permission.objects.get(codename="view_notice"))

    assert SHOWN not in before
    assert SHOWN in client.get("/keys/").content.decode()


def test_the_same_is_told_once(ada: User) -> None:
    told = [tell(Kind.KEY_DIED, subject, SENTENCE) for subject in ("shared:1", "shared:1", "shared:2")]

    assert told == [True, False, True]
    assert Notice.objects.count() == 2


def test_what_is_settled_goes_for_everybody_and_is_told_anew(client: Client, ada: User) -> None:
    tell(Kind.KEY_DIED, "shared:1", SENTENCE)

    settled = [settle(Kind.KEY_DIED, "shared:1"), settle(Kind.KEY_DIED, "shared:1")]
    page = client.get("/keys/").content.decode()

    assert settled == [True, False]
    assert SHOWN not in page
    assert tell(Kind.KEY_DIED, "shared:1", SENTENCE)


def test_one_administrator_puts_it_away_for_themselves_only(client: Client, ada: User) -> None:
    tell(Kind.BUDGET, "limit:1:2026-11", SENTENCE)
    other = Client()
    other.force_login(make_administrator("olga"))
    address = f"/notices/{Notice.objects.get().pk}/dismiss/"

    answers = [client.post(address, headers={"referer": "http://testserver/usage/"}), client.post(address)]
    tell(Kind.BUDGET, "limit:1:2026-11", SENTENCE)

    assert [answer.status_code for answer in answers] == [302, 404]
    assert answers[0]["Location"] == "http://testserver/usage/"
    assert SHOWN not in client.get("/keys/").content.decode()
    assert SHOWN in other.get("/keys/").content.decode()


def test_htmx_only_takes_it_out_of_the_page(client: Client, ada: User) -> None:
    tell(Kind.REQUEST, "request:1", SENTENCE)

    answer = client.post(f"/notices/{Notice.objects.get().pk}/dismiss/", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.content) == (200, b"")


def test_what_is_out_of_date_is_not_shown(client: Client, ada: User) -> None:
    tell(Kind.BUDGET, "limit:1", SENTENCE, until=timezone.now() - timedelta(seconds=1))
    tell(Kind.BUDGET, "limit:2", "Still so.", until=timezone.now() + timedelta(hours=1))

    page = client.get("/keys/").content.decode()

    assert SHOWN not in page and "Still so." in page


@pytest.mark.django_db(transaction=True)
def test_what_was_taken_back_is_told_to_nobody() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        tell(Kind.BUDGET, "limit:1", SENTENCE)
        assert 1 / 0

    assert not Notice.objects.exists()


def test_a_sentence_of_any_length_is_told(ada: User) -> None:
    tell(Kind.REQUEST, "request:1", "x" * 900)

    assert Notice.objects.get().sentence == "x" * 499 + "…"


def test_members_pages_ask_nothing_of_the_database_for_it(client: Client) -> None:
    client.force_login(make_user())
    with CaptureQueriesContext(connection) as asked:
        client.get("/usage/")

    assert not [query for query in asked.captured_queries if "notice" in query["sql"]]
