"""How long people waited for a first token, in buckets that grow by 9 %, so that counts of them can be added up.

A bucket stands for the geometric middle of what falls into it: a percentile read from buckets is at most 4.5 % beside
the true one, from a millisecond to an hour and a half. Pure.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

GROWTH = 1.09
SHORTEST = 0.001
LAST_BUCKET = 180
_LOG_GROWTH = math.log(GROWTH)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Seconds until the first token: half waited less than ``p50``, all but a twentieth less than ``p95``."""

    p50: float | None = None
    p95: float | None = None


def bucket_of(seconds: float) -> int:
    """The bucket of a wait: number n ends at ``SHORTEST * GROWTH ** n``."""
    if not seconds > SHORTEST:
        return 0
    return min(LAST_BUCKET, math.ceil(math.log(min(seconds, 1e9) / SHORTEST) / _LOG_GROWTH - 1e-9))


def middle_of(bucket: int) -> float:
    """The seconds that a bucket stands for."""
    return float(SHORTEST * GROWTH ** (bucket - 0.5)) if bucket else SHORTEST


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """The wait that a ``share`` of all does not exceed (nearest rank); None where nobody waited."""
    rank = math.ceil(share * sum(counts.values()) - 1e-9)
    for bucket, count in sorted(counts.items()):
        rank -= count
        if rank <= 0 and count:
            return middle_of(bucket)
    return None


def percentiles(counts: Iterable[tuple[int, int]]) -> Percentiles:
    """Of ``(bucket, count)``; a bucket may come several times."""
    summed: dict[int, int] = {}
    for bucket, count in counts:
        summed[bucket] = summed.get(bucket, 0) + count
    return Percentiles(percentile(summed, 0.5), percentile(summed, 0.95))
