"""The sums of each day are those of the records, to the request and the cent, whoever writes them and when."""

import json
import math
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.db import connection
from django.db.models import Max
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from chat.usage.metering import count_late, day_of, record_usage
from chat.usage.models import DailyUse, UsageRecord
from chat.usage.waits import percentiles
from tests.factories import make_user
from tests.playground_process import PlaygroundProcess

USES = st.lists(
    st.fixed_dictionaries(
        {
            "person": st.sampled_from(["alice", "bob"]),
            "model_id": st.sampled_from(["org/a", "org/b"]),
            "provider": st.sampled_from(["", "together"]),
            "key_ref": st.sampled_from(["", "none", "shared:7"]),
            "prompt_tokens": st.none() | st.integers(0, 2_000_000_000),
            "completion_tokens": st.none() | st.integers(0, 200_000),
            "cost": st.none() | st.decimals(0, 999_999, places=8),
            "failed": st.booleans(),
            "estimated": st.booleans(),
            "first_token_seconds": st.none() | st.floats(0.001, 600),
        }
    ),
    min_size=1,
    max_size=25,
)


def use(user: Any, run_id: int, **fields: Any) -> None:
    usual: dict[str, Any] = {
        "model_id": "org/a",
        "provider": "",
        "key_label": "K",
        "cost": Decimal("0.002"),
        "failed": False,
    }
    tokens = {"prompt_tokens": 100, "completion_tokens": 20}
    record_usage(user_id=user.pk, run_id=run_id, **(usual | tokens | fields))


def summed(records: Any) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What the sums should be, by plain addition."""
    found: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0, 0, 0, 0, 0, 0, Decimal(0)])
    for record in records:
        sums = found[(record.day, record.user_id, record.key_ref, record.model_id, record.provider)]
        unpriced = record.cost is None and not record.failed
        tokens = (record.prompt_tokens or 0, record.completion_tokens or 0)
        new = (1, record.failed, unpriced, record.estimated, *tokens, record.cost or Decimal(0))
        sums[:] = [old + added for old, added in zip(sums, new, strict=True)]
    return {same: tuple(sums) for same, sums in found.items()}


def kept() -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return {
        (row.day, row.user_id, row.key_ref, row.model_id, row.provider): (
            *(row.requests, row.failures, row.unpriced, row.estimated, row.tokens_in, row.tokens_out),
            row.spent,
        )
        for row in DailyUse.objects.all()
    }


class Property(TestCase):
    @effort(max_examples=40)
    @given(USES)
    def test_sums_are_those_of_the_records(self, uses: list[dict[str, Any]]) -> None:
        people = {name: make_user(name) for name in ("alice", "bob")}
        for number, fields in enumerate(uses):
            use(people[fields["person"]], number, **{name: value for name, value in fields.items() if name != "person"})

        assert kept() == summed(UsageRecord.objects.all())
        waits = sorted(each["first_token_seconds"] for each in uses if each["first_token_seconds"] is not None)
        found = percentiles(DailyUse.objects.exclude(waits=None).values_list("waits__bucket", "waits__requests"))
        for share, value in ((0.5, found.p50), (0.95, found.p95)):
            expected = waits[math.ceil(share * len(waits) - 1e-9) - 1] if waits else None
            assert value == (None if expected is None else pytest.approx(expected, rel=0.05))


@pytest.mark.django_db
def test_a_second_record_of_a_run_is_in_no_sum() -> None:
    alice = make_user()
    use(alice, 1)
    use(alice, 1, cost=Decimal(5))

    assert [(row.requests, row.spent) for row in DailyUse.objects.all()] == [(1, Decimal("0.002"))]


@pytest.mark.django_db
def test_an_answer_costs_three_statements() -> None:
    alice = make_user()
    use(alice, 1, first_token_seconds=0.3)

    with CaptureQueriesContext(connection) as asked:
        use(alice, 2, first_token_seconds=0.4)

    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) == 3


@pytest.mark.django_db
def test_the_day_is_that_of_the_site(settings: Any) -> None:
    late = datetime(2026, 9, 30, 23, 30, tzinfo=UTC)
    assert day_of(late) == date(2026, 9, 30)

    settings.TIME_ZONE = "Europe/Vienna"

    assert day_of(late) == date(2026, 10, 1)


@pytest.mark.django_db
def test_sums_outlive_the_person() -> None:
    alice = make_user()
    use(alice, 1)

    alice.delete()

    assert [(row.user, row.requests) for row in DailyUse.objects.all()] == [(None, 1)]


@pytest.mark.django_db
def test_what_an_older_version_recorded_meanwhile_is_counted_once() -> None:
    alice = make_user()
    use(alice, 1)
    for run_id in (2, 3):
        UsageRecord.objects.create(user=alice, run_id=run_id, model_id="org/a", cost=Decimal("0.5"))

    assert (count_late(), count_late()) == (2, 0)
    assert kept() == summed(UsageRecord.objects.all())


ENDS = """
from decimal import Decimal
from chat.usage.metering import record_usage
for number in range({first}, {first} + 60):
    record_usage(user_id={user} + number % 2, run_id=number, model_id=f"org/{{number % 3}}", provider="",
        key_label="", prompt_tokens=1, completion_tokens=2, cost=Decimal("0.00000001"), failed=False,
        first_token_seconds=0.1 + number % 5)
"""


def test_answers_that_end_in_many_processes_at_once_are_all_counted(tmp_path: Path) -> None:
    playground = PlaygroundProcess(tmp_path)
    playground.run("from django.core.management import call_command; call_command('migrate', verbosity=0)")
    made = "from chat.models import User; print([User.objects.create(username=n).pk for n in 'ab'][0])"
    user = int(playground.run(made))

    ends = [
        subprocess.Popen(
            [sys.executable, "manage.py", "shell", "-c", ENDS.format(first=1_000 * process, user=user)],
            cwd=site.BASE_DIR,
            env=playground.environment,
        )
        for process in range(4)
    ]

    assert [end.wait(120) for end in ends] == [0, 0, 0, 0]
    sums = """
import json
from django.db.models import Sum
from chat.models import DailyUse, DailyWait
totals = DailyUse.objects.aggregate(*(Sum(name) for name in ("requests", "tokens_in", "tokens_out", "nanodollars")))
waits = DailyWait.objects.aggregate(Sum("requests"))["requests__sum"]
print(json.dumps([*totals.values(), DailyUse.objects.count(), waits]))
"""
    assert json.loads(playground.run(sums)) == [240, 240, 480, 2400, 6, 240]


@pytest.mark.django_db
def test_newest_name_of_a_key_is_kept() -> None:
    alice = make_user()
    for run_id, label in enumerate(["Old …ab12", "New …ab12"]):
        use(alice, run_id, key_ref="shared:1", key_label=label)

    assert DailyUse.objects.aggregate(Max("key_label"))["key_label__max"] == "New …ab12"
