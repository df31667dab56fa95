"""When limits begin anew: minutes, days and months of the clock on the wall, in the site's time zone.

Days are as long as they are: 23 or 25 hours where clocks change. Pure but for the zone, which is Django's.
"""

from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

from chat.keys.limits import Measure


def window(measure: Measure, now: datetime) -> tuple[datetime, datetime]:
    """The window that ``now`` is in: its first moment, and the first of the next. Both in UTC, so that they compare."""
    if measure == Measure.REQUESTS_PER_MINUTE:
        start = now.astimezone(UTC).replace(second=0, microsecond=0)
        return start, start + timedelta(minutes=1)
    day = timezone.localtime(now, timezone.get_default_timezone()).date()
    if measure == Measure.MONEY_PER_MONTH:
        first = day.replace(day=1)
        return _midnight(first), _midnight((first + timedelta(days=31)).replace(day=1))
    return _midnight(day), _midnight(day + timedelta(days=1))


def _midnight(day: date) -> datetime:
    """When ``day`` begins: its first midnight where it has two, and where clocks skip it the moment they do."""
    zone = timezone.get_default_timezone()
    return timezone.make_aware(datetime.combine(day, time.min), zone).astimezone(UTC)
