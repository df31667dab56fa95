"""What administrators see of everybody's use: filtered, summed, drawn and downloaded, and nothing to change."""

import csv
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chat.accounts.models import User
from chat.usage.admin import MOST_COUNTED
from chat.usage.metering import record_usage
from chat.usage.models import DailyUse, UsageRecord
from tests.factories import make_administrator, make_user

pytestmark = pytest.mark.django_db
SUMS, LEDGER = "/admin/chat/dailyuse/", "/admin/chat/usagerecord/"
LONG_AGO = datetime(2025, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_administrator())
    return client


@pytest.fixture
def alice() -> User:
    return make_user()


@pytest.fixture
def bob() -> User:
    return make_user("bob")


def use(user: User, **fields: Any) -> None:
    usual: dict[str, Any] = {
        "model_id": "org/model",
        "provider": "cerebras",
        "key_ref": "shared:1",
        "key_label": "Team key …ab12",
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "cost": Decimal("0.25"),
        "failed": False,
    }
    record_usage(user_id=user.pk, run_id=UsageRecord.objects.count() + 1, **(usual | fields))


def rows(html: str) -> list[list[str]]:
    """The cells of the table of sums, each as its words."""
    table = html[html.index('class="module use-sums"') :]
    cells = (
        re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    )
    words = ([" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells)
    return [row for row in words if row]


def test_use_is_summed_by_person(browser: Client, alice: User, bob: User) -> None:
    use(alice, prompt_tokens=1_234_567, first_token_seconds=0.5)
    use(alice, failed=True, cost=None, prompt_tokens=None, completion_tokens=None)
    use(bob, estimated=True)

    found = rows(browser.get(SUMS).text)

    assert found == [
        ["alice", "2 1 failed", "1,234,567", "20", "$0.25", "0.52 s", "0.52 s"],
        ["bob", "1", "≈ 100", "≈ 20", "≈ $0.25", "–", "–"],
        ["Together", "3 1 failed", "≈ 1,234,667", "≈ 40", "≈ $0.50", "0.52 s", "0.52 s"],
    ]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("key", ["Old key …zz99", "Team key …ab12"]),
        ("model", ["org/other", "org/model"]),
        ("provider", ["together", "cerebras"]),
        ("nonsense", ["alice"]),
    ],
)
def test_use_is_summed_by_what_one_chooses(browser: Client, alice: User, by: str, names: list[str]) -> None:
    use(alice)
    use(
        alice, model_id="org/other", provider="together", key_ref="shared:2", key_label="Old key …zz99", cost=Decimal(1)
    )

    assert [row[0] for row in rows(browser.get(f"{SUMS}?by={by}").text)] == [*names, "Together"]


def test_days_are_listed_newest_first(browser: Client, alice: User) -> None:
    use(alice, at=LONG_AGO, cost=Decimal(9))
    use(alice)

    found = rows(browser.get(f"{SUMS}?by=day&period=all").text)

    assert [row[0] for row in found] == [str(timezone.localdate()), "2025-03-04", "Together"]


def test_filters_leave_what_they_say(browser: Client, alice: User, bob: User) -> None:
    use(alice, at=LONG_AGO)
    use(alice, key_ref="", key_label="", cost=Decimal(1))
    use(bob, model_id="org/other", cost=Decimal(2))
    bob_pk = bob.pk

    def spent(query: str) -> str:
        return rows(browser.get(f"{SUMS}?{query}").text)[-1][4]

    assert spent("period=all") == "$3.25"
    assert spent("") == "$3.00"
    assert spent(f"person={bob_pk}") == "$2.00"
    assert spent("key=shared:1") == "$2.00"
    assert spent("key=none") == "$1.00"
    assert spent("model=org/model&period=all") == "$1.25"
    assert spent("q=bob") == "$2.00"
    bob.delete()
    assert spent("person=none") == "$2.00"
    assert "No requests in this period." in browser.get(f"{SUMS}?person={bob_pk}").text


@pytest.mark.parametrize(
    "query",
    ["person=x", "person=9999999999999999999999", "period=x", "by=", "key=%00", "model=", "model=%00x"],
)
def test_strange_filters_are_no_error(browser: Client, alice: User, query: str) -> None:
    use(alice)

    assert browser.get(f"{SUMS}?{query}").status_code == 200


def test_a_line_leads_to_its_own_page(browser: Client, alice: User, bob: User) -> None:
    use(alice)
    use(bob, model_id="org/bobs")

    href = re.search(r'<a href="([^"]*)">alice</a>', browser.get(SUMS).text)

    assert href
    assert [row[0] for row in rows(browser.get(SUMS + href[1].replace("&amp;", "&")).text)] == ["org/model", "Together"]


@pytest.mark.parametrize(("period", "bars"), [("week", 7), ("quarter", 90), ("year", 13), ("all", 1)])
def test_chart_has_a_bar_for_each_day_or_month(browser: Client, alice: User, period: str, bars: int) -> None:
    use(alice)

    html = browser.get(f"{SUMS}?period={period}").text

    assert html.count("<g>") in (bars, bars - (period == "year"))
    assert 'aria-label="Cost, by person' in html


def test_sums_are_downloaded_as_they_are_filtered(browser: Client, alice: User, bob: User) -> None:
    use(alice, first_token_seconds=1.0, estimated=True)
    use(bob, model_id="=cmd()", cost=Decimal("0.00000001"))

    text = browser.get(f"{SUMS}csv/?person={bob.pk}").getvalue().decode()
    everybody = list(csv.DictReader(browser.get(f"{SUMS}csv/").getvalue().decode().splitlines()))

    [row] = csv.DictReader(text.splitlines())
    assert (row["person"], row["model"], row["dollars"]) == ("bob", "'=cmd()", "0.000000010")
    assert [(line["person"], line["requests with estimated tokens"]) for line in everybody] == [
        ("bob", "0"),
        ("alice", "1"),
    ]
    assert float(everybody[1]["first token p95 seconds"]) == pytest.approx(1.0, rel=0.05)


def test_ledger_is_shown_and_downloaded(browser: Client, alice: User) -> None:
    use(alice, estimated=True, prompt_tokens=1_234)
    use(alice, failed=True, cost=None, prompt_tokens=None, completion_tokens=None)

    html = browser.get(LEDGER).text
    lines = list(csv.DictReader(browser.get(f"{LEDGER}csv/").getvalue().decode().splitlines()))

    assert "≈ 1,234" in html and "–" in html
    assert [(line["tokens in"], line["tokens are estimated"], line["dollars"], line["failed"]) for line in lines] == [
        ("", "", "", "yes"),
        ("1234", "yes", "0.25000000", ""),
    ]


def test_ledger_and_sums_cannot_be_changed(browser: Client, alice: User) -> None:
    use(alice)
    for page, row in ((LEDGER, UsageRecord.objects.get()), (SUMS, DailyUse.objects.get())):
        assert browser.post(f"{page}add/").status_code == 403
        assert browser.post(f"{page}{row.pk}/change/", {"cost": "0"}).status_code == 403
        assert browser.post(f"{page}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_long_ledger_is_not_counted_to_its_end(browser: Client) -> None:
    many = (UsageRecord(run_id=number, model_id="m") for number in range(MOST_COUNTED + 50))
    UsageRecord.objects.bulk_create(many, batch_size=2_000)

    html = browser.get(LEDGER).text

    assert re.search(rf"\b{MOST_COUNTED} usage records", html)
