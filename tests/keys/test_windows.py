"""Limits begin anew by the clock on the wall: at midnight and on the first, whatever clocks do by night."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from chat.keys.limits import Measure
from chat.keys.windows import window

# Where clocks change by night, at midnight itself (Cairo skips it, Havana has it twice), by half an hour, and never.
ZONES = ["Europe/Vienna", "America/New_York", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Asia/Kolkata"]
MOMENTS = st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
MEASURES = st.sampled_from(list(Measure))


@pytest.mark.parametrize("zone", ZONES)
def test_every_moment_is_in_its_window_and_windows_meet(settings: LazySettings, zone: str) -> None:
    settings.TIME_ZONE = zone

    @given(MEASURES, MOMENTS)
    def holds(measure: Measure, now: datetime) -> None:
        start, end = window(measure, now)

        assert start <= now < end
        assert window(measure, start) == (start, end)
        assert window(measure, end)[0] == end
        assert window(measure, end - timedelta(microseconds=1)) == (start, end)

    holds()


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_is_what_calendars_there_call_so(settings: LazySettings, zone: str) -> None:
    settings.TIME_ZONE = zone
    there = ZoneInfo(zone)

    @given(MOMENTS, MOMENTS)
    def holds(one: datetime, other: datetime) -> None:
        same_day = one.astimezone(there).date() == other.astimezone(there).date()
        same_month = f"{one.astimezone(there):%Y-%m}" == f"{other.astimezone(there):%Y-%m}"

        assert (window(Measure.TOKENS_PER_DAY, one) == window(Measure.TOKENS_PER_DAY, other)) == same_day
        assert (window(Measure.MONEY_PER_MONTH, one) == window(Measure.MONEY_PER_MONTH, other)) == same_month

    holds()


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Vienna", datetime(2026, 3, 29, 12, tzinfo=UTC), 23),
        ("Europe/Vienna", datetime(2026, 10, 25, 12, tzinfo=UTC), 25),
        ("Africa/Cairo", datetime(2026, 4, 24, 12, tzinfo=UTC), 23),
        ("America/Havana", datetime(2026, 11, 1, 18, tzinfo=UTC), 25),
        ("Australia/Lord_Howe", datetime(2026, 4, 5, 3, tzinfo=UTC), 24.5),
        ("UTC", datetime(2026, 3, 29, 12, tzinfo=UTC), 24),
    ],
)
def test_a_day_on_which_clocks_change_is_as_long_as_it_is(
    settings: LazySettings, zone: str, day: datetime, hours: float
) -> None:
    settings.TIME_ZONE = zone

    start, end = window(Measure.MONEY_PER_DAY, day)

    assert end - start == timedelta(hours=hours)


def test_minutes_are_those_of_the_clock() -> None:
    start, end = window(Measure.REQUESTS_PER_MINUTE, datetime(2026, 1, 1, 12, 5, 59, 999_999, tzinfo=UTC))

    assert (start, end) == (datetime(2026, 1, 1, 12, 5, tzinfo=UTC), datetime(2026, 1, 1, 12, 6, tzinfo=UTC))
