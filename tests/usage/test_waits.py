"""Percentiles from buckets are near the true ones, whatever people waited."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.usage.waits import LAST_BUCKET, bucket_of, middle_of, percentile, percentiles

WAITS = st.floats(min_value=0.001, max_value=5_000)


def nearest_rank(waits: list[float], share: float) -> float:
    return sorted(waits)[math.ceil(share * len(waits) - 1e-9) - 1]


@given(st.lists(WAITS, min_size=1, max_size=300))
def test_percentiles_are_within_five_per_cent(waits: list[float]) -> None:
    found = percentiles((bucket_of(wait), 1) for wait in waits)

    assert found.p50 == pytest.approx(nearest_rank(waits, 0.5), rel=0.05)
    assert found.p95 == pytest.approx(nearest_rank(waits, 0.95), rel=0.05)


@given(WAITS)
def test_a_bucket_stands_for_what_is_in_it(wait: float) -> None:
    assert middle_of(bucket_of(wait)) == pytest.approx(wait, rel=0.046)


@given(WAITS, WAITS)
def test_longer_waits_are_never_in_an_earlier_bucket(one: float, other: float) -> None:
    assert bucket_of(min(one, other)) <= bucket_of(max(one, other))


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, 0), (-1.0, 0), (0.001, 0), (1e9, LAST_BUCKET), (math.inf, LAST_BUCKET), (math.nan, 0)]
)
def test_odd_waits_have_a_bucket(seconds: float, bucket: int) -> None:
    assert bucket_of(seconds) == bucket


def test_nobody_waited() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({3: 0}, 0.5) is None
