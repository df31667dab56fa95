"""Every figure that ``/metrics`` shows: what it is called, what it counts, in which unit.

The code that makes a figure binds it where it stands, without labels wherever it runs per frame or per piece of text.
Labels come from closed sets or from rows that administrators make; never from what a person or a model wrote. Each
process has its own registry and is asked on its own port.
"""

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
)

# A second series beside each counter that nobody draws.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()
for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR):
    REGISTRY.register(collector)

# Short waits inside the process, in seconds.
SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

# Runs. ``endpoint`` is the slug of a row.
RUNS = Gauge("playground_runs", "Unsettled runs of all processes, by state.", ["status"], registry=REGISTRY)
LIVE_RUNS = Gauge("playground_live_runs", "Runs that this process writes.", registry=REGISTRY)
RUNS_ENDED = Counter("playground_runs_ended", "Runs that ended.", ["endpoint", "status"], registry=REGISTRY)
FIRST_TOKEN_SECONDS = Histogram(
    "playground_first_token_seconds",
    "From the request that was answered to its first token.",
    ["endpoint"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
    registry=REGISTRY,
)
RUN_SECONDS = Histogram(
    "playground_run_seconds",
    "From the request that was answered to the end of the run.",
    ["endpoint"],
    buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
    registry=REGISTRY,
)
TOKENS = Counter("playground_tokens", "Tokens of runs, counted when they end.", ["endpoint"], registry=REGISTRY)
UPSTREAM_ERRORS = Counter(
    "playground_upstream_errors",
    "Requests that an endpoint failed, those that were sent again included.",
    ["endpoint", "kind"],
    registry=REGISTRY,
)

# Pages.
OPEN_SOCKETS = Gauge("playground_open_sockets", "Sockets of signed-in people.", registry=REGISTRY)
FRAMES_SENT = Counter("playground_frames_sent", "Frames sent to pages.", registry=REGISTRY)
SNAPSHOTS_SENT = Counter(
    "playground_snapshots_sent",
    "Live texts sent whole: to pages that are new, or fell too far behind.",
    registry=REGISTRY,
)

# The engine.
GAPS = Counter("playground_gaps", "Pieces of a run that another process wrote and that got lost.", registry=REGISTRY)
JOURNAL_SECONDS = Histogram(
    "playground_journal_seconds", "Writing what is new of all live runs.", buckets=SHORT, registry=REGISTRY
)
LOOP_LAG_SECONDS = Histogram(
    "playground_loop_lag_seconds", "How late the event loop is, four times a second.", buckets=SHORT, registry=REGISTRY
)
DATABASE_WAIT_SECONDS = Histogram(
    "playground_database_wait_seconds",
    "From a call for the database until a thread takes it up.",
    buckets=SHORT,
    registry=REGISTRY,
)
DATABASE_UP = Gauge("playground_database_up", "1 where the database answered this scrape.", registry=REGISTRY)

BUILD = Info("playground_build", "What serves.", registry=REGISTRY)
