"""A browser, a server with data of its own and a fake provider, one each for all tests of this folder.

Each test gets a person whom no other test has, in a browser profile of its own, and fails if the browser complained
about anything that the test did not allow.
"""

import itertools
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from django.conf import settings
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, async_playwright, expect

from tests.e2e.browser import CHROMIUM, FLAGS, NAMES, Complaints, Provider
from tests.e2e.chat_page import ChatPage
from tests.playground_process import PlaygroundProcess

PATIENCE = 10_000
PEOPLE = 240
MAKE_PEOPLE = f"""
import json
from django.conf import settings
from django.test import Client
from chat.models import Endpoint
from tests.factories import make_shared_key, make_user
people = [make_user(f"person{{number}}", password=None) for number in range({PEOPLE})]
keyless = [make_user(f"keyless{{number}}", password=None) for number in range(20)]
make_shared_key(Endpoint.objects.get(kind="router"), *people)
def session_of(person):
    client = Client()
    client.force_login(person)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
print(json.dumps([[[person.username, session_of(person)] for person in some] for some in (people, keyless)]))
"""
numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in: their name and the cookie that says so."""

    username: str
    session: str

    def cookie(self, url: str) -> Any:
        return {"name": settings.SESSION_COOKIE_NAME, "value": self.session, "url": url}


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """The fake provider as a process."""
    command = [sys.executable, "-m", "tests.fake_provider", "--port", "0"]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Provider(process.stdout.readline().strip().removesuffix("/v1"))
        process.kill()


@pytest.fixture(scope="session")
def served(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlaygroundProcess]:
    """The playground as a process; its router and hub are the fake provider."""
    data = tmp_path_factory.mktemp("playground")
    with PlaygroundProcess(data, HF_ROUTER_URL=f"{provider.url}/v1", HF_HUB_URL=provider.url) as server:
        yield server


@pytest.fixture(scope="session")
def everybody(served: PlaygroundProcess) -> list[Iterator[Person]]:
    return [itertools.starmap(Person, some) for some in json.loads(served.run(MAKE_PEOPLE))]


@pytest.fixture(scope="session")
def people(everybody: list[Iterator[Person]]) -> Iterator[Person]:
    """People who may use the team's key."""
    return everybody[0]


@pytest.fixture(scope="session")
def keyless(everybody: list[Iterator[Person]]) -> Iterator[Person]:
    """People who have no key."""
    return everybody[1]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip(f"No Chromium on this machine: none of {', '.join(NAMES)} is installed.")
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def person(people: Iterator[Person]) -> Person:
    return next(people)


@pytest.fixture
def complaints(served: PlaygroundProcess) -> Complaints:
    return Complaints(served.url)


@pytest.fixture
def viewport() -> ViewportSize:
    """The size of the window; tests that need another one override it by parametrising."""
    return {"width": 1440, "height": 900}


@pytest_asyncio.fixture(loop_scope="session")
async def profile(
    browser: Browser, served: PlaygroundProcess, person: Person, complaints: Complaints, viewport: ViewportSize
) -> AsyncIterator[BrowserContext]:
    """A browser profile in which ``person`` is signed in. Fails the test if anything was complained about."""
    context = await browser.new_context(base_url=served.url, viewport=viewport)
    context.set_default_timeout(PATIENCE)
    await context.add_cookies([person.cookie(served.url)])
    complaints.listen(context)
    yield context
    await context.close()
    assert complaints.unexpected == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(profile: BrowserContext) -> Page:
    return await profile.new_page()


@pytest.fixture
def chat(page: Page) -> ChatPage:
    return ChatPage(page)


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Make names of models that no other test asks: ``fresh("gated")`` plays that scenario at a gate of its own."""
    return lambda scenario: f"fake/{scenario}:{next(numbers)}"


@pytest.fixture
def gate_of() -> Callable[[str], str]:
    """The gate that a model of the scenario ``gated`` waits at."""
    return lambda model: re.sub("^fake/", "", model)
