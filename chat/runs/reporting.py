"""What those who run the server learn of the end of a run: its figures, never its words."""

from chat import metrics
from chat.runs.models import Run


def count_end(run: Run, tokens: int) -> None:
    """Count a run whose end is stored; ``tokens`` is how many of its answer came."""
    # One whose endpoint was deleted since has none.
    endpoint = run.endpoint.slug if run.endpoint else "-"
    metrics.RUNS_ENDED.labels(endpoint, run.status).inc()
    metrics.TOKENS.labels(endpoint).inc(tokens)
    if run.first_token_seconds is not None:
        metrics.FIRST_TOKEN_SECONDS.labels(endpoint).observe(run.first_token_seconds)
    if run.elapsed_seconds is not None:
        metrics.RUN_SECONDS.labels(endpoint).observe(run.elapsed_seconds)
