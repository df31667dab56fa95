"""Records of use: one for each run, summed for their person, shown to administrators without a word of text."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from chat.accounts.models import User
from chat.usage.metering import record_usage
from chat.usage.models import UsageRecord
from chat.usage.reports import by_person, month_before, monthly_report, next_month, this_month
from tests.factories import make_user

pytestmark = pytest.mark.django_db
OCTOBER = date(2026, 10, 1)


@pytest.fixture
def alice() -> User:
    return make_user()


def record(user: User, run_id: int, **fields: Any) -> None:
    values: dict[str, Any] = {
        "model_id": "org/model",
        "provider": "cerebras",
        "key_label": "Team key …ab12",
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "cost": Decimal("0.002"),
        "failed": False,
    }
    record_usage(user_id=user.pk, run_id=run_id, **(values | fields))


def october(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=ZoneInfo("UTC"))


def page(user: User, query: str = "") -> str:
    client = Client()
    client.force_login(user)
    return client.get(f"/usage/{query}").text


def test_run_is_recorded_once(alice: User) -> None:
    record(alice, 1)
    record(alice, 1, completion_tokens=99, cost=Decimal(5))

    assert list(UsageRecord.objects.values_list("completion_tokens", "cost")) == [(20, Decimal("0.002"))]


def test_record_outlives_its_person(alice: User) -> None:
    record(alice, 1)

    alice.delete()

    assert UsageRecord.objects.get().user is None


def test_month_is_summed_by_day_and_model(alice: User) -> None:
    record(alice, 1, at=october(3))
    record(alice, 2, at=october(3), cost=Decimal("0.001"))
    record(alice, 3, at=october(3), model_id="org/other", provider="", cost=None)
    record(alice, 4, at=october(5), prompt_tokens=None, completion_tokens=None, cost=None, failed=True)

    report = monthly_report(alice, OCTOBER)

    assert [(day.day, [line.model_id for line in lines]) for day, lines in report.days] == [
        (5, ["org/model"]),
        (3, ["org/model", "org/other"]),
    ]
    assert [(line.model_id, line.requests, line.spent) for line in report.models] == [
        ("org/model", 3, Decimal("0.003")),
        ("org/other", 1, 0),
    ]
    total = report.total
    assert (total.requests, total.failures, total.unpriced, total.tokens) == (4, 1, 1, 360)


def test_month_holds_neither_other_months_nor_other_people(alice: User) -> None:
    record(alice, 1, at=datetime(2026, 9, 30, 12, tzinfo=ZoneInfo("UTC")))
    record(alice, 2, at=datetime(2026, 11, 1, 12, tzinfo=ZoneInfo("UTC")))
    record(make_user("bob"), 3, at=october(3))

    assert monthly_report(alice, OCTOBER).total.requests == 0


def test_days_are_those_of_the_sites_time_zone(alice: User, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Vienna"
    record(alice, 1, at=datetime(2026, 9, 30, 23, 30, tzinfo=ZoneInfo("UTC")))

    report = monthly_report(alice, OCTOBER)

    assert [day for day, _ in report.days] == [date(2026, 10, 1)]


def test_waits_are_told_for_each_model_and_in_total(alice: User) -> None:
    for run_id, (model, seconds) in enumerate([("org/a", 0.2), ("org/a", 0.3), ("org/a", 9.0), ("org/b", None)]):
        record(alice, run_id, at=october(3), model_id=model, first_token_seconds=seconds)

    report = monthly_report(alice, OCTOBER)

    waits = {line.model_id: line.waits for line in report.models}
    assert waits["org/a"].p50 == pytest.approx(0.3, rel=0.05)
    assert waits["org/a"].p95 == pytest.approx(9, rel=0.05)
    assert waits["org/b"].p50 is None
    assert report.total.waits.p95 == pytest.approx(9, rel=0.05)


def test_months_follow_each_other() -> None:
    assert (next_month(date(2026, 12, 1)), month_before(date(2026, 1, 1))) == (date(2027, 1, 1), date(2025, 12, 1))
    assert next_month(date(2024, 1, 31)) == date(2024, 2, 1)


def test_earlier_month_is_offered_where_there_is_one(alice: User) -> None:
    record(alice, 1, at=october(3))

    assert (monthly_report(alice, OCTOBER).earlier, monthly_report(alice, date(2026, 11, 1)).earlier) == (None, OCTOBER)


def test_stranger_is_sent_to_sign_in(client: Client) -> None:
    assert client.get("/usage/").headers["Location"].startswith("/accounts/login/")


def test_page_is_only_read(alice: User) -> None:
    client = Client()
    client.force_login(alice)

    assert client.post("/usage/").status_code == 405


def test_page_without_use_says_so(alice: User) -> None:
    record(make_user("bob"), 1)

    assert "No requests yet this month." in page(alice)


def test_page_shows_ones_own_use(alice: User) -> None:
    record(alice, 1, model_id="org/<b>model", prompt_tokens=1_234_567)
    record(make_user("bob"), 2, model_id="org/bobs")

    html = page(alice)

    assert "org/&lt;b&gt;model" in html and "1,234,567" in html and "$0.002" in html
    assert "org/bobs" not in html


def test_page_draws_the_days_and_says_when_limits_begin_anew(alice: User) -> None:
    record(alice, 1, cost=Decimal("0.5"))

    html = page(alice)

    assert re.search(r'<svg [^>]*role="img" aria-label="Cost, \w+ \d+', html)
    assert re.search(rf"<title>{timezone.localdate().day} \w+: \$0.50</title>\s*<rect class=\"chart-a\"", html)
    assert "Days begin at midnight, UTC" in html and "those of a month on 1 " in html


def test_what_is_estimated_is_marked_everywhere(alice: User) -> None:
    record(alice, 1, estimated=True)
    record(alice, 2, model_id="org/sure")

    html = page(alice)

    estimated, sure = (
        re.findall(rf"<tr>\s*<td[^>]*>{name}.*?</tr>", html, re.DOTALL) for name in ("org/model", "org/sure")
    )
    assert [row.count('title="estimated">≈</abbr>') for row in estimated] == [3, 3]
    assert [row.count("≈") for row in sure] == [0, 0]
    assert "of 1 request the provider did not say how many tokens it was" in html


def test_page_says_what_has_no_price(alice: User) -> None:
    record(alice, 1, cost=None)

    html = page(alice)

    assert "1 request without a known price by token is not in the cost." in html and "not known" in html


@pytest.mark.parametrize("month", ["2026-13", "x", "9999-01", "0001-01", "2026-0", "'", "", "2019-12"])
def test_strange_month_is_the_current_one(alice: User, month: str) -> None:
    record(alice, 1)

    assert "org/model" in page(alice, f"?month={month}")


def test_earlier_month_can_be_seen(alice: User) -> None:
    last = month_before(this_month())
    record(alice, 1, at=datetime(last.year, last.month, 2, 12, tzinfo=ZoneInfo("UTC")))

    assert "org/model" in page(alice, f"?month={last:%Y-%m}") and "org/model" not in page(alice)


def test_member_does_not_see_the_use_of_others(alice: User) -> None:
    client = Client()
    client.force_login(alice)

    for page in ("usagerecord", "dailyuse", "usagerecord/csv", "dailyuse/csv"):
        assert client.get(f"/admin/chat/{page}/").status_code == 302


def test_sums_of_accounts_that_are_gone_are_kept(alice: User) -> None:
    record(alice, 1)
    alice.delete()

    assert [(line.user__username, line.requests) for line in by_person(this_month())] == [("", 1)]
