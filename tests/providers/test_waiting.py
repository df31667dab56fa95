"""How long to wait, from whichever header says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.waiting import MAX_SECONDS, retry_after

NOW = 1_700_000_000.0


def seconds(**headers: str) -> float | None:
    return retry_after({name.replace("_", "-"): value for name, value in headers.items()}, now=lambda: NOW)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20", 20),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("nan", None),
        ("99999999999", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, expected: float | None) -> None:
    assert seconds(retry_after=value) == expected


def test_rate_limit_tells_when_the_used_up_limit_resets() -> None:
    assert seconds(ratelimit='"api";r=0;t=57') == 57
    assert seconds(ratelimit='"minute";r=3;t=10, "day";r=0;t=900, "hour";r=0;t=60') == 900
    assert seconds(ratelimit='"api";r=2') is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [("30", 30), (str(NOW + 45), 45), ("6m0s", 360), ("1h2m3.5s", 3723.5), ("250ms", 0.25), ("x", None)],
)
def test_older_reset_headers_are_read(value: str, expected: float | None) -> None:
    assert seconds(x_ratelimit_reset=value) == expected


def test_retry_after_comes_before_the_others() -> None:
    assert seconds(x_ratelimit_reset="30", ratelimit='"api";r=0;t=20', retry_after="10") == 10


@given(st.dictionaries(st.sampled_from(["retry-after", "ratelimit", "x-ratelimit-reset"]), st.text(max_size=30)))
def test_any_header_gives_sane_seconds_or_none(headers: dict[str, str]) -> None:
    found = retry_after(headers)

    assert found is None or 0 <= found <= MAX_SECONDS
