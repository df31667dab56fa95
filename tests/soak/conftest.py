"""Counts and parts for the tests of endurance: few repetitions beside the other tests, all with ``SOAK=full``."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.fake_provider import FakeProvider
from tests.playground_process import PlaygroundProcess
from tests.soak.world import server_at

FULL = os.environ.get("SOAK") == "full"


@pytest.fixture(scope="session")
def full() -> bool:
    return FULL


@pytest.fixture(scope="session")
def times(full: bool) -> Callable[[int, int], int]:
    """How often something is done: ``times(few, all)``."""
    return lambda few, everything: everything if full else few


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("soak")


@pytest.fixture(scope="module")
def server(data_dir: Path) -> Iterator[PlaygroundProcess]:
    with server_at(data_dir) as server:
        yield server


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as provider:
        yield provider
