"""What those who run the server learn of the end of a run: its figures and ids, never its words."""

import logging

from chat import metrics
from chat.runs.models import Run

# The endpoint of a run whose endpoint was deleted since.
GONE = "-"
logger = logging.getLogger(__name__)


def report_end(run: Run, tokens: int) -> None:
    """Count and log a run whose end is stored; ``tokens`` is how many of its answer came."""
    endpoint = run.endpoint.slug if run.endpoint else GONE
    _count(run, endpoint, tokens)
    facts = {
        "run": run.pk,
        "status": run.status,
        "error": run.error_kind,
        "request_id": run.begun_by_request,
        "user": run.owner_id,
        "endpoint": endpoint,
        "tokens": tokens,
        "first_token_seconds": _rounded(run.first_token_seconds),
        "seconds": _rounded(run.elapsed_seconds),
    }
    logger.info("Run ended.", extra={"facts": facts})


def _count(run: Run, endpoint: str, tokens: int) -> None:
    metrics.RUNS_ENDED.labels(endpoint, run.status).inc()
    metrics.TOKENS.labels(endpoint).inc(tokens)
    if run.first_token_seconds is not None:
        metrics.FIRST_TOKEN_SECONDS.labels(endpoint).observe(run.first_token_seconds)
    if run.elapsed_seconds is not None:
        metrics.RUN_SECONDS.labels(endpoint).observe(run.elapsed_seconds)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
