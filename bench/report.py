"""What was measured, as one table for people and one JSON file for comparing runs. It measures nothing itself."""

import json
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. ``at_most`` or ``at_least`` is the target, neither where it is only worth knowing."""

    scenario: str
    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def verdict(self) -> str:
        if self.at_most is None and self.at_least is None:
            return ""
        above = self.at_least is None or self.value >= self.at_least
        below = self.at_most is None or self.value <= self.at_most
        return "ok" if above and below else "MISSED"


def percentile(values: Iterable[float], share: float) -> float:
    """The value that ``share`` (0..1) of the values do not exceed; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def show(figures: Sequence[Figure]) -> None:
    """Write the table to standard output."""
    rows = [(f.scenario, f.name, f"{_rounded(f.value)} {f.unit}".strip(), _target(f), f.verdict) for f in figures]
    heads = ("scenario", "measured", "value", "target", "")
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    for row in (heads, tuple("-" * width for width in widths), *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(f"{line.rstrip()}\n")


def keep(figures: Sequence[Figure]) -> None:
    """Write the JSON file; scenarios that were not run this time keep their earlier figures."""
    run = {figure.scenario for figure in figures}
    earlier = json.loads(RESULTS.read_text(encoding="utf-8"))["figures"] if RESULTS.exists() else []
    kept = [figure for figure in earlier if figure["scenario"] not in run]
    content = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "figures": [*kept, *map(asdict, figures)],
    }
    RESULTS.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"


def _target(figure: Figure) -> str:
    if figure.at_least is not None:
        return f">= {_rounded(figure.at_least)}"
    return "" if figure.at_most is None else f"<= {_rounded(figure.at_most)}"
