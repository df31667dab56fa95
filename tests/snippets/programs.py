"""Runs the programs that the product hands out with the real libraries, which ``make clients`` installs apart."""

import asyncio
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from chat.snippets.clients import Client

HERE = Path(__file__).parent
CLIENTS = Path(settings.BASE_DIR) / ".clients"
PYTHON = CLIENTS / "venv" / "bin" / "python"
NODE = shutil.which("node")
# litellm would ask the network for prices as it is imported.
QUIET = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "HF_HUB_OFFLINE": "", "NO_PROXY": "*", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program printed, and how it failed if it did."""

    printed: str
    failure: str


def require(client: Client) -> None:
    """Skip, with the reason, where what runs such programs is not installed."""
    if client.language == "Python" and not PYTHON.exists():
        pytest.skip("the client libraries are not installed: make clients")
    if client.language == "JavaScript" and not (NODE and (CLIENTS / "node_modules").exists()):
        pytest.skip("Node and its client libraries are not installed: make clients")
    if client.language == "Shell" and not shutil.which("curl"):
        pytest.skip("there is no curl")


async def run(client: Client, programs: list[str], environment: Mapping[str, str], folder: Path) -> list[Ran]:
    """Run programs of one client, one after another, with these variables and no other secrets."""
    variables = {**{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}, **QUIET}
    variables |= environment
    if client.language == "Python":
        out = await _run([str(PYTHON), str(HERE / "run_programs.py")], json.dumps(programs), variables)
        return [Ran(*each) for each in json.loads(out)]
    if client.language == "JavaScript":
        # Beside its libraries, where Node looks for them.
        files = [CLIENTS / f"{folder.name}-{client.slug}-{number}.mjs" for number in range(len(programs))]
        try:
            for file, program in zip(files, programs, strict=True):
                file.write_text(program, encoding="utf-8")
            assert NODE is not None
            out = await _run([NODE, str(HERE / "run_programs.mjs"), *map(str, files)], "", variables)
        finally:
            for file in files:
                file.unlink(missing_ok=True)
        return [Ran(*each) for each in json.loads(out)]
    return [Ran(await _run(["sh", "-e"], program, variables), "") for program in programs]


async def _run(command: list[str], given: str, variables: Mapping[str, str]) -> str:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, env=dict(variables), limit=2**24
    )
    out, complaints = await asyncio.wait_for(process.communicate(given.encode()), 240)
    assert process.returncode == 0, f"{out.decode()}\n{complaints.decode()}"
    return out.decode()
