"""``python -m bench [scenario …]``: runs the scenarios one after another, shows a table and keeps the figures."""

import argparse
import importlib
import os
import sys
import time

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

SCENARIOS = {
    "first-page": "bench.first_page",
    "turns": "bench.turns",
    "pages": "bench.pages",
    "length": "bench.length",
    "streams": "bench.streams",
    "several": "bench.several",
    "idle": "bench.idle",
    "usage": "bench.usage",
}


def main() -> None:
    from bench.report import keep, show

    parser = argparse.ArgumentParser(prog="bench", description="Measure the speed of the playground.")
    parser.add_argument("scenario", nargs="*", default=list(SCENARIOS), metavar=f"{{{','.join(SCENARIOS)}}}")
    wanted = parser.parse_args().scenario
    if unknown := set(wanted) - set(SCENARIOS):
        parser.error(f"There is no scenario {sorted(unknown)[0]}.")
    figures = []
    for name in wanted:
        started = time.monotonic()
        sys.stderr.write(f"{name} …")
        sys.stderr.flush()
        figures += importlib.import_module(SCENARIOS[name]).measure()
        sys.stderr.write(f" {time.monotonic() - started:.0f} s\n")
    show(figures)
    keep(figures)


if __name__ == "__main__":
    main()
