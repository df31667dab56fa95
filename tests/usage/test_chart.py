"""Charts: each bar as high as its use, stacked from what counts most, under guides that people can read."""

from datetime import date, timedelta

import pytest

from chat.usage.chart import BOTTOM, HEIGHT, LETTERS, TOP, WIDTH, Chart, chart
from chat.usage.reports import Line
from chat.usage.spans import days_of, span_of, spans

FIRST = date(2026, 10, 1)
MONTH = days_of(FIRST, date(2026, 11, 1))


def drawn(*uses: tuple[int, str, Line]) -> Chart:
    found = chart([(FIRST + timedelta(days=day), name, line) for day, name, line in uses], MONTH)
    assert found is not None
    return found


def test_nothing_used_is_no_chart() -> None:
    assert chart([], MONTH) is None
    assert chart([(FIRST, "m", Line())], MONTH) is None


@pytest.mark.parametrize(
    ("line", "measure", "top"),
    [
        (Line(requests=3, tokens_in=800, nanodollars=390_000_000), "Cost", "$0.40"),
        (Line(requests=3, nanodollars=340), "Cost", "< $0.0001"),
        (Line(requests=3, tokens_in=800, tokens_out=1_100), "Tokens", "2k"),
        (Line(requests=3, failures=3), "Requests", "4"),
        (Line(requests=1), "Requests", "2"),
        (Line(requests=99_999), "Requests", "100k"),
    ],
)
def test_it_shows_money_else_tokens_else_requests(line: Line, measure: str, top: str) -> None:
    found = drawn((0, "m", line))

    assert (found.measure, found.guides[-1][1]) == (measure, top)


def test_bars_are_as_high_as_their_use_and_stay_in_the_drawing() -> None:
    found = drawn((0, "x", Line(tokens_in=100)), (0, "y", Line(tokens_in=300)), (30, "x", Line(tokens_in=100)))

    first, last = found.bars[0], found.bars[30]
    room = HEIGHT - BOTTOM - TOP
    assert [part.letter for part in first.parts] == ["a", "b"]
    assert [float(part.height) / room for part in first.parts] == pytest.approx([0.75, 0.25], abs=0.001)
    assert float(last.x) + float(last.width) <= WIDTH
    assert float(first.parts[-1].y) == pytest.approx(TOP, abs=0.1)
    assert not found.bars[1].parts
    assert (first.title, last.title) == ("1 October: 400", "31 October: 100")


def test_what_counts_most_has_a_colour_of_its_own_and_the_rest_share_one() -> None:
    found = drawn(*((0, f"model {number}", Line(tokens_in=100 - number)) for number in range(9)))

    assert [letter for letter, _ in found.legend] == list(LETTERS)
    assert found.legend[0] == ("a", "model 0") and found.legend[-1] == ("f", "others")
    assert len(found.bars[0].parts) == len(LETTERS)


def test_six_things_share_no_colour() -> None:
    found = drawn(*((0, f"model {number}", Line(tokens_in=100 - number)) for number in range(6)))

    assert [name for _, name in found.legend] == [f"model {number}" for number in range(6)]


def test_long_periods_have_a_bar_for_each_month() -> None:
    begins, ends = date(2026, 1, 1), date(2027, 1, 1)

    assert [label for _, label, _ in spans(begins, ends)][:2] == ["Jan", "Feb"]
    assert len(spans(begins, ends)) == 12
    assert span_of(date(2026, 5, 17), begins, ends) == date(2026, 5, 1)
    assert span_of(date(2026, 5, 17), date(2026, 5, 1), date(2026, 6, 1)) == date(2026, 5, 17)


def test_labels_leave_each_other_room() -> None:
    assert [label for _, label, _ in MONTH if label] == [f"{day} Oct" for day in range(1, 32, 3)]
