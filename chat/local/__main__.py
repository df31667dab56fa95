"""The model server process: llama.cpp with its OpenAI-style HTTP server on a free loopback port.

It reads one line from stdin, the secret first part of every path, and writes one line to stdout when it can be asked.
It ends when stdin closes, so it never outlives its parent, however that died. Started by ``supervisor`` only.
"""

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import xllamacpp

CONTEXT_LENGTH = 4096
PARALLEL_ANSWERS = 4
# Serving pages comes first on a machine that does both.
NICENESS = 10
LOG_ERRORS_ONLY = 1


def main() -> None:
    options = _options()
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # Whatever the library prints goes to stderr: stdout is for the announcement alone.
    to_parent = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    secret = sys.stdin.readline().strip()
    server = _serve(options.model, options.name, secret)
    announcement = {"base_url": f"{server.listening_address}/{secret}/v1", "context_length": CONTEXT_LENGTH}
    try:
        # A parent that died while the model was loading hears nothing of it.
        with suppress(OSError):
            to_parent.write(json.dumps(announcement) + "\n")
            to_parent.close()
        sys.stdin.read()
    finally:
        # An orderly end would wait for the server, which ends only when it is told to.
        os._exit(0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chat.local", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--name", required=True, help="what answers call the model")
    return parser.parse_args()


def _serve(model: Path, name: str, secret: str) -> xllamacpp.Server:
    """Load the model and listen. The secret path keeps other people of this machine, and web pages, out."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model)
    parameters.model_alias = {name}
    parameters.n_ctx = CONTEXT_LENGTH * PARALLEL_ANSWERS
    parameters.n_parallel = PARALLEL_ANSWERS
    # Waiting threads sleep instead of spinning: pages are served by the same cores.
    parameters.cpuparams.poll = parameters.cpuparams_batch.poll = 0
    parameters.port = 0
    parameters.api_prefix = f"/{secret}"
    parameters.cors_origins = ""
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = LOG_ERRORS_ONLY
    return xllamacpp.Server(parameters)


if __name__ == "__main__":
    main()
