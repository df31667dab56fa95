"""Reserve, then settle: no admission exceeds a limit, whatever came before, and what was really used counts in full."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys import quota
from chat.keys.errors import QuotaReached
from chat.keys.limits import Limit, Measure, Reservation, Tally
from chat.keys.models import KeyGrant
from chat.keys.quota import Amounts, Ask, Option
from chat.keys.windows import window
from chat.notices.models import Notice
from tests.factories import make_shared_key

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the time that quotas see; noon of a day to begin with."""

    def show(now: datetime) -> None:
        monkeypatch.setattr("chat.keys.quota.timezone.now", lambda: now)

    show(NOON)
    return show


@pytest.fixture
def grant(alice: User, router: Endpoint, clock: object) -> KeyGrant:
    make_shared_key(router, alice)
    return KeyGrant.objects.get()


def limit(grant: KeyGrant, measure: Measure, at_most: str, each_person: bool = True) -> Limit:
    return Limit.objects.create(grant=grant, measure=measure, at_most=Decimal(at_most), each_person=each_person)


def under(grant: KeyGrant | None, tokens: int = 0, money: str = "0", limited: bool = True) -> Option:
    return Option("Team key …cd34", grant, Amounts(tokens, Decimal(money)), limited)


def admitted(person: User, run_id: int, *options: Option) -> Option | None:
    try:
        return quota.admit(person, [Ask(run_id, options)])[run_id]
    except QuotaReached:
        return None


def sums() -> list[tuple[Any, Any]]:
    return [(tally.used, tally.reserved) for tally in Tally.objects.order_by("limit", "person")]


def test_a_reservation_leaves_less_for_the_next(alice: User, grant: KeyGrant) -> None:
    limit(grant, Measure.TOKENS_PER_DAY, "1000")

    assert admitted(alice, 1, under(grant, tokens=600))
    assert not admitted(alice, 2, under(grant, tokens=401))
    assert admitted(alice, 3, under(grant, tokens=400))
    assert sums() == [(0, 1000)]


def test_settling_puts_what_was_used_in_its_place(alice: User, grant: KeyGrant) -> None:
    limit(grant, Measure.TOKENS_PER_DAY, "1000")
    limit(grant, Measure.MONEY_PER_DAY, "1")
    admitted(alice, 1, under(grant, tokens=900, money="0.5"))

    quota.settle(1, Amounts(10, Decimal("0.00000123")))
    quota.settle(1, Amounts(10, Decimal("0.00000123")))

    assert sums() == [(10, 0), (Decimal("0.00000123"), 0)]
    assert not Reservation.objects.exists()


def test_an_answer_longer_than_its_reservation_counts_at_the_next_admission(alice: User, grant: KeyGrant) -> None:
    limit(grant, Measure.TOKENS_PER_DAY, "1000")
    admitted(alice, 1, under(grant, tokens=100))

    quota.settle(1, Amounts(5000, Decimal(0)))

    assert sums() == [(5000, 0)]
    assert not admitted(alice, 2, under(grant, tokens=1))


def test_what_was_never_asked_counts_for_nothing(alice: User, grant: KeyGrant) -> None:
    limit(grant, Measure.REQUESTS_PER_MINUTE, "1")
    admitted(alice, 1, under(grant))

    quota.settle(1, Amounts(0, Decimal(0), requests=0))

    assert admitted(alice, 2, under(grant))


def test_each_person_has_their_own_share_of_what_all_have_together(alice: User, bob: User, grant: KeyGrant) -> None:
    limit(grant, Measure.REQUESTS_PER_MINUTE, "2")
    limit(grant, Measure.REQUESTS_PER_MINUTE, "3", each_person=False)

    taken = [bool(admitted(person, number, under(grant))) for number, person in enumerate([alice] * 3 + [bob] * 2)]

    assert taken == [True, True, False, True, False]


def test_all_that_is_sent_at_once_is_admitted_or_nothing(alice: User, grant: KeyGrant) -> None:
    limit(grant, Measure.REQUESTS_PER_MINUTE, "2")

    with pytest.raises(QuotaReached):
        quota.admit(alice, [Ask(number, (under(grant),)) for number in range(3)])

    assert not Reservation.objects.exists()
    assert len(quota.admit(alice, [Ask(number, (under(grant),)) for number in range(2)])) == 2


def test_the_first_grant_that_has_room_is_taken(alice: User, bob: User, grant: KeyGrant) -> None:
    other = KeyGrant.objects.create(shared_key=grant.shared_key, everyone=True)
    limit(grant, Measure.REQUESTS_PER_MINUTE, "1")
    limit(other, Measure.REQUESTS_PER_MINUTE, "1")

    taken = [admitted(alice, number, under(grant), under(other)) for number in range(3)]

    assert [option and option.grant for option in taken] == [grant, other, None]


def test_what_is_blocked_is_blocked_for_what_is_free_too(alice: User, grant: KeyGrant) -> None:
    limit(grant, Measure.MONEY_PER_DAY, "0")

    with pytest.raises(QuotaReached, match=r"^Team key …cd34 is blocked for you\."):
        quota.admit(alice, [Ask(1, (under(grant),))])


def test_what_costs_nothing_goes_on_when_the_money_is_spent(alice: User, grant: KeyGrant) -> None:
    limit(grant, Measure.MONEY_PER_DAY, "1")
    admitted(alice, 1, under(grant, money="1"))
    quota.settle(1, Amounts(0, Decimal(2)))

    assert admitted(alice, 2, under(grant, money="0"))
    assert not admitted(alice, 3, under(grant, money="0.00000001"))


def test_a_persons_own_limit_holds_for_every_key(alice: User, bob: User, grant: KeyGrant) -> None:
    Limit.objects.create(owner=alice, measure=Measure.TOKENS_PER_DAY, at_most=100)

    assert admitted(alice, 1, under(grant, tokens=60))
    assert not admitted(alice, 2, under(None, tokens=60))
    assert admitted(alice, 3, under(None, tokens=40))
    assert admitted(bob, 4, under(grant, tokens=60))


def test_a_new_day_begins_with_nothing_used(alice: User, grant: KeyGrant, clock: Callable[[datetime], None]) -> None:
    limit(grant, Measure.TOKENS_PER_DAY, "100")
    admitted(alice, 1, under(grant, tokens=100))

    clock(NOON + timedelta(hours=11, minutes=59))
    assert not admitted(alice, 2, under(grant, tokens=1))
    clock(NOON + timedelta(hours=12))
    assert admitted(alice, 2, under(grant, tokens=70))
    # It counts in the day in which it was admitted, which is over.
    quota.settle(1, Amounts(100, Decimal(0)))

    assert sums() == [(0, 70)]


def test_a_clock_that_is_behind_begins_no_day_anew(
    alice: User, grant: KeyGrant, clock: Callable[[datetime], None]
) -> None:
    limit(grant, Measure.TOKENS_PER_DAY, "100")
    clock(NOON + timedelta(hours=12))
    admitted(alice, 1, under(grant, tokens=100))
    clock(NOON + timedelta(hours=12) - timedelta(seconds=1))

    assert not admitted(alice, 2, under(grant, tokens=1))


def test_a_reservation_moves_to_another_key(alice: User, grant: KeyGrant) -> None:
    other = KeyGrant.objects.create(shared_key=grant.shared_key, everyone=True)
    limit(grant, Measure.TOKENS_PER_DAY, "100")
    limit(other, Measure.TOKENS_PER_DAY, "100")
    admitted(alice, 1, under(grant, tokens=80))

    assert quota.move(alice, 1, [under(other, tokens=80)]).grant == other
    assert sums() == [(0, 0), (0, 80)]

    quota.settle(1, Amounts(5, Decimal(0)))
    assert sums() == [(0, 0), (5, 0)]


def test_where_the_other_key_has_no_room_the_reservation_stays(alice: User, grant: KeyGrant) -> None:
    other = KeyGrant.objects.create(shared_key=grant.shared_key, everyone=True)
    limit(grant, Measure.TOKENS_PER_DAY, "100")
    limit(other, Measure.TOKENS_PER_DAY, "10")
    admitted(alice, 1, under(grant, tokens=80))

    with pytest.raises(QuotaReached):
        quota.move(alice, 1, [under(other, tokens=80)])

    assert [reserved for _, reserved in sums()][:1] == [80]
    assert Reservation.objects.get().tally.limit.grant == grant


def test_a_persons_own_limit_is_not_taken_twice_by_a_move(alice: User, grant: KeyGrant) -> None:
    Limit.objects.create(owner=alice, measure=Measure.TOKENS_PER_DAY, at_most=100)
    admitted(alice, 1, under(grant, tokens=80))

    quota.move(alice, 1, [under(None, tokens=80)])

    assert sums() == [(0, 80)]


def test_administrators_are_told_once_when_most_of_a_budget_is_used(
    alice: User, grant: KeyGrant, clock: Callable[[datetime], None]
) -> None:
    limit(grant, Measure.MONEY_PER_DAY, "10", each_person=False)
    limit(grant, Measure.MONEY_PER_DAY, "10")

    def spend(run_id: int, money: str) -> list[str]:
        admitted(alice, run_id, under(grant, money="0.01"))
        quota.settle(run_id, Amounts(0, Decimal(money)))
        return list(Notice.objects.order_by("pk").values_list("sentence", flat=True))

    assert spend(1, "7.99") == []
    told = ["82 % of today's $10 on Team key …cd34 for alice are used. It resets at 00:00 (UTC)."]
    assert spend(2, "0.30") == told
    assert spend(3, "1.00") == told
    clock(NOON + timedelta(days=1))
    assert len(spend(4, "9")) == 2


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, 1), st.integers(1, 60)),
        st.tuples(st.just("end"), st.integers(0, 5), st.integers(0, 90)),
        st.tuples(st.just("wait"), st.integers(0, 30), st.integers(0, 59)),
    ),
    max_size=25,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(steps=STEPS)
def test_no_admission_ever_exceeds_a_limit(
    alice: User, bob: User, grant: KeyGrant, clock: Callable[[datetime], None], steps: list[tuple[str, int, int]]
) -> None:
    """Beside a model that keeps every request: what is admitted, at its worst, and all of its window are within it."""
    Limit.objects.all().delete()
    limits = [limit(grant, Measure.TOKENS_PER_DAY, "100"), limit(grant, Measure.TOKENS_PER_DAY, "150", False)]
    now, counted, open_runs = NOON, list[list[object]](), list[int]()
    clock(now)
    for number, (kind, which, amount) in enumerate(steps):
        if kind == "wait":
            now += timedelta(hours=which, minutes=amount)
            clock(now)
        elif kind == "end" and which < len(open_runs):
            run_id = open_runs.pop(which)
            quota.settle(run_id, Amounts(amount, Decimal(0)))
            next(entry for entry in counted if entry[0] == run_id)[3] = amount
        elif kind == "ask":
            person = (alice, bob)[which]
            day = window(Measure.TOKENS_PER_DAY, now)
            today = [entry for entry in counted if entry[2] == day]
            of_all = sum(int(str(entry[3])) for entry in today)
            of_person = sum(int(str(entry[3])) for entry in today if entry[1] == person)
            fits = of_person + amount <= limits[0].at_most and of_all + amount <= limits[1].at_most

            assert bool(admitted(person, number, under(grant, tokens=amount))) == fits
            if fits:
                counted.append([number, person, day, amount])
                open_runs.append(number)
