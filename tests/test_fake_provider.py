"""The fake provider itself: what its description promises, and its controls for other processes."""

import asyncio
import re
import sys
from pathlib import Path

import httpx
import pytest

import tests.fake_provider
from tests.fake_call import SCENARIOS
from tests.fake_provider import FakeProvider, fake_provider

__all__ = ["fake_provider"]
ROOT = Path(__file__).resolve().parent.parent


def test_every_scenario_is_described() -> None:
    described = set(re.findall(r"[a-z0-9-]+", tests.fake_provider.__doc__ or ""))

    assert SCENARIOS.keys() <= described


async def test_gate_opens_from_another_process(fake_provider: FakeProvider) -> None:
    passed = asyncio.create_task(fake_provider.gate("gated").passed())

    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"{fake_provider.hub_url}/_gate", json={"scenario": "gated", "release": 1})

    await asyncio.wait_for(passed, 1)


async def test_requests_are_shown_to_another_process(fake_provider: FakeProvider) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"{fake_provider.base_url}/chat/completions", json={"model": "fake/plain", "messages": []})
        shown = (await client.get(f"{fake_provider.hub_url}/_requests")).json()

    assert [(request["body"]["model"], request["completed"]) for request in shown] == [("fake/plain", True)]


@pytest.mark.parametrize(
    ("token", "status"), [("hf_good1", 200), ("hf_read1", 200), ("hf_bad1", 401), ("hf_limited1", 429), ("other", 401)]
)
async def test_owner_is_known_by_the_token(fake_provider: FakeProvider, token: str, status: int) -> None:
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as client:
        assert (await client.get(f"{fake_provider.hub_url}/api/whoami-v2")).status_code == status


async def test_list_of_models_can_be_made_to_fail(fake_provider: FakeProvider) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"{fake_provider.hub_url}/_control", json={"models_status": 500})

        assert (await client.get(f"{fake_provider.base_url}/models")).status_code == 500


async def test_it_runs_as_a_process() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fake_provider", "--port", "0", stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout is not None
    address = (await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip()

    async with httpx.AsyncClient(trust_env=False) as client:
        models = (await client.get(f"{address}/models")).json()
    process.terminate()
    await process.wait()

    assert models["data"]
