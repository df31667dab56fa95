"""One, 200 and 500 people, one answer each: what it costs and how late it is, beside the yardstick of the same run."""

import asyncio

from bench import processes, rounds
from bench.report import Figure, percentile
from bench.rounds import Load, Round

ONE = Load(streams=1, tokens=400, rate=50)
MANY = Load(streams=200, tokens=400)
MANY_TURNS = Load(streams=200, tokens=1)
MORE = Load(streams=500, tokens=400)
WARM_UP = Load(streams=1, tokens=1)
AT_ONCE = Load(streams=1, tokens=5000, rate=0)
MOST_PER_TURN = 10
PERCENT_OF_BARE = 0.75


def measure() -> list[Figure]:
    with processes.upstream() as url:
        direct = asyncio.run(rounds.direct(url, ONE))
        bare_turns, bare = [_bare(url, load) for load in (MANY_TURNS, MANY)]
        one, at_once = _ours(url, ONE, AT_ONCE)
        turns, many = _ours(url, MANY_TURNS, MANY)
        [more] = _ours(url, MORE)
    ours_per_thousand, bare_per_thousand = many.cpu_per_thousand_tokens(turns), bare.cpu_per_thousand_tokens(bare_turns)
    return [
        *_figures("1 stream", one, first_p99=15 + _first(direct, 0.99), latency_p99=60),
        Figure("1 stream", "first token of the provider itself", _first(direct, 0.5), "ms"),
        *_figures("200 streams, bare echo", bare),
        Figure("200 streams, bare echo", "CPU per turn", bare_turns.cpu_per_turn * 1000, "ms"),
        Figure("200 streams, bare echo", "CPU per 1,000 tokens", bare_per_thousand, "s"),
        *_figures("200 streams", many, first_p50=30, first_p99=250, latency_p99=150),
        Figure("200 streams", "CPU per turn", turns.cpu_per_turn * 1000, "ms", MOST_PER_TURN),
        Figure("200 streams", "CPU per 1,000 tokens", ours_per_thousand, "s", PERCENT_OF_BARE * bare_per_thousand),
        Figure("200 streams", "CPU beside the bare echo's", ours_per_thousand / bare_per_thousand, "x", 0.75),
        Figure("200 streams", "memory", many.megabytes, "MB", 180),
        *_figures("500 streams", more, latency_p99=400),
        Figure("500 streams", "memory", more.megabytes, "MB"),
        Figure("5,000 tokens at once", "tokens lost", at_once.lost, at_most=0),
        Figure("5,000 tokens at once", "through to the socket", _speed(at_once), "tokens/s", at_least=30_000),
    ]


def _bare(url: str, load: Load) -> Round:
    with processes.bare(url) as (address, pid):
        return asyncio.run(rounds.bare(address, pid, load))


def _ours(url: str, *loads: Load) -> list[Round]:
    """One process for all loads, one after the other; the first turn of a process loads what later ones find."""
    with processes.playground() as server:
        return [rounds.on([server], url, load) for load in (WARM_UP, *loads)][1:]


def _figures(
    name: str,
    done: Round,
    first_p50: float | None = None,
    first_p99: float | None = None,
    latency_p99: float | None = None,
) -> list[Figure]:
    latencies = [latency * 1000 for latency in done.latencies]
    return [
        Figure(name, "tokens lost", done.lost, at_most=0),
        Figure(name, "tokens doubled", done.doubled, at_most=0),
        Figure(name, "first token added, p50", _first(done, 0.5), "ms", first_p50),
        Figure(name, "first token added, p99", _first(done, 0.99), "ms", first_p99),
        Figure(name, "latency added, p50", percentile(latencies, 0.5), "ms"),
        Figure(name, "latency added, p99", percentile(latencies, 0.99), "ms", latency_p99),
    ]


def _first(done: Round, share: float) -> float:
    return percentile(done.waits, share) * 1000


def _speed(done: Round) -> float:
    """Tokens a second from the first to the last that reached the page."""
    [shown] = done.shown
    return done.load.tokens / max(shown.last_at - shown.first_sent_at, 0.001)
