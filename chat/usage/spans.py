"""The bars of a chart over some days: one for each day, or one for each month where there are many. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta

# The first day, what stands below the bar, and its name.
Span = tuple[date, str, str]
MOST_DAYS = 92
# So many labels fit below the bars.
MOST_LABELS = 12


def days_of(begins: date, ends: date) -> list[Span]:
    """A bar for each day from ``begins`` until before ``ends``."""
    every = -(-(ends - begins).days // MOST_LABELS)
    return [
        (day, _day_label(day) if number % every == 0 else "", f"{day.day} {day:%B}")
        for number, day in enumerate(_days(begins, ends))
    ]


def spans(begins: date, ends: date) -> list[Span]:
    """A bar for each day, or for each month where there are more than ``MOST_DAYS``."""
    if (ends - begins).days <= MOST_DAYS:
        return days_of(begins, ends)
    months = sorted({day.replace(day=1) for day in _days(begins, ends)})
    every = -(-len(months) // MOST_LABELS)
    return [
        (month, f"{month:%b}" if number % every == 0 else "", f"{month:%B %Y}") for number, month in enumerate(months)
    ]


def span_of(day: date, begins: date, ends: date) -> date:
    """The first day of the bar that ``day`` belongs to."""
    return day if (ends - begins).days <= MOST_DAYS else day.replace(day=1)


def _day_label(day: date) -> str:
    return f"{day.day} {day:%b}"


def _days(begins: date, ends: date) -> Iterator[date]:
    for number in range((ends - begins).days):
        yield begins + timedelta(days=number)
