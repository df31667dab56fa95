"""How long a provider asks us to wait, in seconds, from whichever header it chose to say so.

Used by `refusals` for every refused request. What is absent, odd or absurd counts as not said.
"""

import math
import re
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

# Longer than any rate limit window; beyond it the figure is a mistake.
MAX_SECONDS = 7 * 24 * 3600.0
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m(?!s))?(?:(\d{1,9}(?:\.\d{1,6})?)s)?(?:(\d{1,9})ms)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)
# draft-ietf-httpapi-ratelimit-headers: `"api";r=0;t=57`
_RATELIMIT_T = re.compile(r";\s*t=(\d{1,9})")
_RESETS = (
    "x-ratelimit-reset-after",
    "x-ratelimit-reset",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "ratelimit-reset",
    "ratelimitbysize-reset",
)


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Seconds to wait by Retry-After (RFC 9110 10.2.3), else RateLimit, else one of the older reset headers.

    `headers` has lower-case names; `now` gives seconds since the epoch.
    """
    asked = headers.get("retry-after", "").strip()
    seconds = _sane(_seconds(asked, now)) if asked else None
    if seconds is None:
        seconds = _ratelimit(headers.get("ratelimit", ""))
    for name in _RESETS:
        if seconds is None and name in headers:
            seconds = _sane(_reset(headers[name].strip(), now))
    return seconds


def _seconds(value: str, now: Callable[[], float]) -> float | None:
    if _NUMBER.fullmatch(value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now())
    except (ValueError, OverflowError):
        return None


def _ratelimit(value: str) -> float | None:
    # Several limits may be listed: the one that is used up counts, and of these the longest.
    used_up = [part for part in value.split(",") if re.search(r";\s*r=0\b", part)] or [value]
    found = [float(match[1]) for part in used_up if (match := _RATELIMIT_T.search(part))]
    return _sane(max(found, default=None))


def _reset(value: str, now: Callable[[], float]) -> float | None:
    """A reset is seconds from now, seconds since the epoch, or a duration such as 6m0s."""
    if _NUMBER.fullmatch(value):
        number = float(value)
        return max(0.0, number - now()) if number > MAX_SECONDS else number
    match = _DURATION.fullmatch(value)
    if not match or not value:
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _sane(seconds: float | None) -> float | None:
    return seconds if seconds is not None and math.isfinite(seconds) and 0 <= seconds <= MAX_SECONDS else None
