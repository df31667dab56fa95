"""Changes in Django admin are recorded field by field; the log is read, filtered and downloaded by administrators."""

import csv
from typing import Any, cast

import pytest
from django.contrib.auth.models import Group
from django.http import StreamingHttpResponse
from django.test import AsyncClient, Client

from chat.accounts.models import Invitation, User
from chat.audit.models import AuditEntry
from chat.audit.record import Verb, record
from chat.catalogue.models import Endpoint
from chat.keys.models import SharedKey
from tests.factories import make_administrator, make_endpoint, make_shared_key, make_user

pytestmark = pytest.mark.django_db
LOG = "/admin/chat/auditentry/"
SECRET = "hf_a_good_secret_of_the_team_zz99"


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_administrator())
    return client


def told() -> list[tuple[str, str, str, Any]]:
    rows = AuditEntry.objects.order_by("pk").values_list("actor_name", "verb", "subject_name", "details")
    return [(who, verb, what, details) for who, verb, what, details in rows]


def endpoint_fields(**fields: Any) -> dict[str, Any]:
    usual = {"label": "Lab", "slug": "lab", "kind": "tgi", "base_url": "https://a.huggingface.cloud", "enabled": "on"}
    patience = {"connect_timeout": "5", "first_token_timeout": "300", "between_tokens_timeout": "30"}
    return usual | patience | fields


def test_endpoint_is_added_changed_switched_off_and_removed(browser: Client) -> None:
    browser.post("/admin/chat/endpoint/add/", endpoint_fields())
    place = f"/admin/chat/endpoint/{Endpoint.objects.get().pk}"
    browser.post(f"{place}/change/", endpoint_fields(connect_timeout="7"))
    browser.post(f"{place}/change/", endpoint_fields(connect_timeout="7"))
    browser.post(f"{place}/change/", endpoint_fields(connect_timeout="7", enabled=""))
    browser.post(f"{place}/delete/", {"post": "yes"})

    rows = told()
    assert [(who, verb, what) for who, verb, what, _ in rows] == [
        ("ada", "added", "Lab"),
        ("ada", "changed", "Lab"),
        ("ada", "disabled", "Lab"),
        ("ada", "removed", "Lab"),
    ]
    assert rows[0][3]["base_url"] == "https://a.huggingface.cloud"
    assert rows[1][3] == {"connect_timeout": {"from": 5.0, "to": 7.0}}
    assert rows[2][3] == {"enabled": {"from": True, "to": False}}


def test_rights_of_a_person_are_told_by_name(browser: Client) -> None:
    bob, vision = make_user("bob"), Group.objects.create(name="vision")
    fields = {"username": "bob", "is_active": "on", "groups": [vision.pk]}

    browser.post(f"/admin/chat/user/{bob.pk}/change/", fields)

    assert told() == [("ada", "changed", "bob", {"groups": {"from": [], "to": ["vision"]}})]


def test_accounts_switched_off_and_deleted_together_are_recorded_one_by_one(browser: Client) -> None:
    pks = [make_user(name).pk for name in ("bob", "eve")]

    browser.post("/admin/chat/user/", {"action": "switch_off", "_selected_action": pks})
    browser.post("/admin/chat/user/", {"action": "delete_selected", "_selected_action": pks, "post": "yes"})

    assert sorted((who, verb, what) for who, verb, what, _ in told()) == [
        ("ada", "disabled", "bob"),
        ("ada", "disabled", "eve"),
        ("ada", "removed", "bob"),
        ("ada", "removed", "eve"),
    ]


def test_invitation_and_who_came_by_it_are_recorded(browser: Client) -> None:
    fields = {"label": "For Bob", "places": "1", "expires_at_0": "2099-01-01", "expires_at_1": "00:00:00"}

    browser.post("/admin/chat/invitation/add/", fields)

    assert [(who, verb, what) for who, verb, what, _ in told()] == [("ada", "added", "For Bob")]
    assert Invitation.objects.get().token_hash not in str(list(AuditEntry.objects.values()))


def test_sign_in_link_made_for_a_person_is_recorded_without_its_secret(browser: Client) -> None:
    browser.post("/admin/chat/user/add/", {"username": "bob", "usable_password": "false"})

    link = User.objects.get(username="bob").signin_links.get()
    assert ("", "added", "Sign-in link for bob", {}) in told()
    assert link.token_hash not in str(list(AuditEntry.objects.values()))


def test_log_is_only_for_administrators(client: Client) -> None:
    client.force_login(make_user())

    assert {client.get(LOG).status_code, client.get(f"{LOG}csv/").status_code} == {302}


def test_staff_without_the_right_download_nothing(client: Client) -> None:
    client.force_login(make_user(is_staff=True))

    assert client.get(f"{LOG}csv/").status_code == 403


def test_log_is_shown_in_words_and_cannot_be_changed(browser: Client) -> None:
    record(None, Verb.DISABLED, make_endpoint(label="<b>Lab"), {"enabled": {"from": True, "to": False}})
    pk = AuditEntry.objects.get().pk

    html = browser.get(LOG).text

    assert "the playground" in html and "&lt;b&gt;Lab" in html and "enabled: yes → no" in html
    for path in (f"{LOG}add/", f"{LOG}{pk}/change/", f"{LOG}{pk}/delete/"):
        assert browser.post(path, {"verb": "x", "post": "yes"}).status_code == 403
    browser.post(LOG, {"action": "delete_selected", "_selected_action": [pk], "post": "yes"})
    assert AuditEntry.objects.get().verb == "disabled"


def test_download_holds_what_the_filters_leave_and_is_harmless(browser: Client) -> None:
    ada = User.objects.get()
    record(ada, Verb.ADDED, make_endpoint(label='=HYPERLINK("//evil")'), {"note": "ü"})
    record(ada, Verb.REMOVED, make_endpoint("other"))

    answer = browser.get(f"{LOG}csv/?verb=added")
    head, row = csv.reader(answer.getvalue().decode().splitlines())

    assert answer["Content-Disposition"] == 'attachment; filename="audit-log-entries.csv"'
    assert head == ["when", "who", "id of who", "did", "kind", "id", "what", "details", "request"]
    assert row[1:4] == ["ada", str(ada.pk), "added"]
    assert row[6:8] == ['\'=HYPERLINK("//evil")', '{"note": "ü"}']


def test_download_with_a_strange_filter_leads_back_to_the_log(browser: Client) -> None:
    assert browser.get(f"{LOG}csv/?nonsense=1")["Location"].startswith(LOG)


def test_download_is_whole_however_long(browser: Client) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(verb="added", subject_kind="x", subject_name=str(n)) for n in range(1_203)
    )

    lines = list(csv.reader(browser.get(f"{LOG}csv/").getvalue().decode().splitlines()))

    assert [line[6] for line in lines[1:]] == [str(number) for number in reversed(range(1_203))]


@pytest.mark.django_db(transaction=True)
async def test_download_streams_through_the_server(async_client: AsyncClient) -> None:
    await async_client.aforce_login(await User.objects.acreate(username="ada", is_staff=True, is_superuser=True))
    await AuditEntry.objects.abulk_create(
        AuditEntry(verb="added", subject_kind="x", subject_name=str(n)) for n in range(700)
    )

    answer = await async_client.get(f"{LOG}csv/")
    parts = [part async for part in cast(StreamingHttpResponse, answer)]

    assert len(parts) > 2
    assert len(b"".join(parts).splitlines()) == 701


def test_shared_key_and_its_grants_are_recorded_without_the_secret(browser: Client) -> None:
    key = make_shared_key(make_endpoint(), make_user("bob"), secret=SECRET)

    browser.post(f"/admin/chat/sharedkey/{key.pk}/delete/", {"post": "yes"})

    assert not SharedKey.objects.exists()
    assert [(verb, what) for _, verb, what, _ in told()] == [("removed", "Team key …zz99")]
    assert SECRET not in str(list(AuditEntry.objects.values()))
