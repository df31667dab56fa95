"""The pages of use over a long ledger, and what an answer pays for its sums. ``USAGE_RECORDS`` says how long: 50,000
unless told otherwise, 5,000,000 for the figures in README."""

import json
import os

from bench import processes
from bench.report import Figure

RECORDS = int(os.environ.get("USAGE_RECORDS", "50000"))
# A year of use by so many people with so many models.
PEOPLE, MODELS, DAYS = 200, 5, 365
MOST_MILLISECONDS = 500


def measure() -> list[Figure]:
    with processes.playground() as server:
        program = f"from bench.usage_pages import run; run({RECORDS}, {PEOPLE}, {MODELS}, {DAYS})"
        facts = json.loads(server.run(program))
    size = f"{RECORDS:,} records"
    pages = facts.pop("pages")
    return [
        *(Figure("usage", f"{name}, {size}", value, "ms", MOST_MILLISECONDS) for name, value in pages.items()),
        *(Figure("usage", f"{name}, {size}", value, unit) for name, (value, unit) in facts.items()),
    ]
