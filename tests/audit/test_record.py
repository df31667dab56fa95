"""What the audit log takes in, and that nothing of it goes or changes again, whoever tries."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.db import IntegrityError, connection, transaction

from chat.administration.read_only import ReadOnlyAdmin
from chat.administration.recorded import RecordedAdmin
from chat.audit import guard
from chat.audit.models import AppendOnly, AuditEntry
from chat.audit.record import HIDDEN, Verb, record
from tests.factories import make_administrator, make_endpoint, make_shared_key, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry() -> AuditEntry:
    record(make_administrator(), Verb.ADDED, make_endpoint())
    return AuditEntry.objects.get()


def test_entry_says_who_did_what_to_what() -> None:
    ada, key = make_administrator(), make_shared_key(make_endpoint())

    record(ada, Verb.DISABLED, key, {"reason": "lost"})

    entry = AuditEntry.objects.get()
    assert (entry.actor_id, entry.actor_name, entry.verb) == (ada.pk, "ada", "disabled")
    assert (entry.subject_kind, entry.subject_id) == ("shared key", str(key.pk))
    assert str(entry) == "ada disabled Team key …cd34"
    assert entry.details == {"reason": "lost"}


def test_deleting_everybody_and_everything_changes_no_entry() -> None:
    ada, bob, endpoint = make_administrator(), make_user("bob"), make_endpoint()
    record(ada, Verb.CHANGED, bob, {"groups": {"from": [], "to": ["vision"]}})
    record(bob, Verb.ADDED, endpoint)
    before = list(AuditEntry.objects.values())

    for row in (endpoint, bob, ada):
        row.delete()

    assert list(AuditEntry.objects.values()) == before


def test_nothing_is_recorded_of_what_did_not_happen() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(None, Verb.ADDED, make_endpoint())
        _ = 1 / 0

    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("details", "kept"),
    [
        ({"note": "use hf_abcdefghijklmnopqrstuvwx now"}, {"note": "use ••• now"}),
        ({"secret": "canary"}, {"secret": HIDDEN}),
        (
            {"extra": {"api_token": "canary", "x": ["hf_abcdefghijklmnopqrstuvwx"]}},
            {"extra": {"api_token": HIDDEN, "x": ["•••"]}},
        ),
        ({"headers": {"X-Key": "canary"}}, {"headers": HIDDEN}),
        ({"tokens_per_day": 500}, {"tokens_per_day": 500}),
        ({"has_secret": True}, {"has_secret": True}),
        ({"money": Decimal("1.50"), "until": date(2027, 3, 31)}, {"money": "1.5", "until": "2027-03-31"}),
        ({"at": datetime(2026, 1, 2, tzinfo=UTC)}, {"at": "2026-01-02T00:00:00+00:00"}),
        ({"long": "x" * 400}, {"long": "x" * 299 + "…"}),
    ],
)
def test_details_hold_plain_values_and_no_secret(details: dict[str, Any], kept: dict[str, Any]) -> None:
    record(None, Verb.CHANGED, make_endpoint(), details)

    assert AuditEntry.objects.get().details == kept


def test_a_token_in_a_name_is_masked() -> None:
    record(None, Verb.ADDED, make_endpoint(label="hf_abcdefghijklmnopqrstuvwx"))

    assert AuditEntry.objects.get().subject_name == "•••"


def test_model_refuses_to_change_or_remove_an_entry(entry: AuditEntry) -> None:
    attempts: list[Callable[[], object]] = [
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(verb="x"),
        lambda: AuditEntry.objects.bulk_update([entry], ["verb"]),
        lambda: AuditEntry.objects.update_or_create(pk=entry.pk, defaults={"verb": "x"}),
        lambda: AuditEntry.objects.bulk_create(
            [entry], update_conflicts=True, unique_fields=["id"], update_fields=["verb"]
        ),
    ]

    for attempt in attempts:
        with pytest.raises(AppendOnly), transaction.atomic():
            attempt()

    assert AuditEntry.objects.get().verb == "added"


STATEMENTS = [
    "UPDATE chat_auditentry SET verb = 'x'",
    "UPDATE chat_auditentry SET verb = verb WHERE id = (SELECT min(id) FROM chat_auditentry)",
    "DELETE FROM chat_auditentry",
    pytest.param("DELETE FROM chat_auditentry WHERE FALSE", marks=pytest.mark.postgres),
    pytest.param("TRUNCATE chat_auditentry", marks=pytest.mark.postgres),
    pytest.param("SET session_replication_role = replica; DELETE FROM chat_auditentry", marks=pytest.mark.postgres),
    pytest.param(
        "INSERT INTO chat_auditentry SELECT * FROM chat_auditentry ON CONFLICT (id) DO UPDATE SET verb = 'x'",
        marks=pytest.mark.postgres,
    ),
    pytest.param("INSERT OR REPLACE INTO chat_auditentry SELECT * FROM chat_auditentry", marks=pytest.mark.sqlite),
    pytest.param(
        "INSERT INTO chat_auditentry SELECT * FROM chat_auditentry WHERE 1 ON CONFLICT (id) DO UPDATE SET verb = 'x'",
        marks=pytest.mark.sqlite,
    ),
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_database_refuses_to_change_or_remove_an_entry(entry: AuditEntry, statement: str) -> None:
    with pytest.raises(IntegrityError, match=re.escape(guard.REFUSAL)), transaction.atomic():
        connection.cursor().execute(statement)

    assert list(AuditEntry.objects.values_list("verb", flat=True)) == ["added"]


def test_guard_that_was_removed_is_noticed_and_made_again(entry: AuditEntry) -> None:
    guard.remove(connection)

    assert (guard.mend(connection), guard.mend(connection)) == (True, False)
    with pytest.raises(IntegrityError), transaction.atomic():
        connection.cursor().execute("DELETE FROM chat_auditentry")


@pytest.mark.parametrize("model", list(admin.site._registry), ids=str)
def test_what_can_be_changed_in_admin_is_recorded(model: Any) -> None:
    assert isinstance(admin.site._registry[model], RecordedAdmin | ReadOnlyAdmin)
