"""Runs Python programs one after another in one process, each as a main module of its own; no part of the tests.

Reads a JSON list of sources from standard input and writes a JSON list of [what it printed, its traceback or ""]. One
process for all, because importing some clients takes seconds.
"""

import contextlib
import io
import json
import sys
import traceback

results = []
for source in json.load(sys.stdin):
    printed, failure = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(source, "program", "exec"), {"__name__": "__main__"})
    except Exception:
        failure = traceback.format_exc()
    results.append([printed.getvalue(), failure])
json.dump(results, sys.stdout)
