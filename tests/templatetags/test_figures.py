"""The filters that write figures for people."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.templatetags import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.308, "0.31 s"), (3.14, "3.1 s"), (59.96, "1 min 0 s"), (12.42, "12.4 s"), (125, "2 min 5 s")],
)
def test_seconds_read_as_one_says_them(value: float | None, text: str) -> None:
    assert figures.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (Decimal(0), "$0"),
        (Decimal("0.0002"), "$0.0002"),
        (Decimal("0.00118"), "$0.0012"),
        (Decimal("0.0114"), "$0.011"),
        (Decimal("0.05"), "$0.05"),
        (Decimal("1.4"), "$1.40"),
        (Decimal("1234.5"), "$1,234.50"),
        (Decimal("0.00000002"), "< $0.0001"),
    ],
)
def test_dollars_keep_the_digits_that_matter(value: Decimal | None, text: str) -> None:
    assert figures.dollars(value) == text


@given(st.decimals(min_value="0.0001", max_value="100000", places=8))
def test_dollars_are_never_off_by_more_than_a_twentieth(value: Decimal) -> None:
    shown = Decimal(figures.dollars(value).strip("$").replace(",", ""))

    assert abs(shown - value) <= value / 20


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0, "0"), (842, "842"), (3100, "3.1k"), (128_000, "128k"), (999_950, "1M"), (1_048_576, "1M")],
)
def test_counts_are_short(value: int | None, text: str) -> None:
    assert figures.compact(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(131_072, "128k"), (1_048_576, "1M"), (128_000, "128k"), (200_000, "200k"), (None, "")]
)
def test_context_lengths_read_as_their_makers_say_them(value: int | None, text: str) -> None:
    assert figures.context_size(value) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_a_speed_bar_is_never_more_than_full(value: float) -> None:
    assert 0 <= figures.speed_share(value) <= 100


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (999, "999"), (12345, "12,345"), (1234567, "1,234,567")])
def test_whole_counts_are_written_in_groups_of_three(value: int, text: str) -> None:
    assert figures.grouped(value) == text
