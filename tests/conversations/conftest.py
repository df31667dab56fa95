"""The cast, an endpoint that needs no key, and the engine, for the tests of chats."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations.models import Conversation, Lane
from chat.database import in_database
from chat.runs import supervisor
from chat.runs.models import Run
from tests.factories import make_conversation, make_endpoint, make_user
from tests.fake_provider import FakeProvider, fake_provider
from tests.waiting import eventually

__all__ = ["fake_provider"]

Settled = Callable[[], Awaitable[list[Run]]]


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def charlie(db: None) -> User:
    return make_user("charlie")


@pytest.fixture
def endpoint(db: None) -> Endpoint:
    """Nothing listens there; runs queued for it stay queued as long as no engine runs."""
    return make_endpoint("fake", kind=Endpoint.Kind.OPENAI, needs_key=False, base_url="http://127.0.0.1:9/v1")


@pytest.fixture
def chat(alice: User, endpoint: Endpoint) -> Conversation:
    return make_conversation(alice, "fake/plain", endpoint=endpoint)


@pytest.fixture
def comparison(alice: User, endpoint: Endpoint) -> Conversation:
    """A chat with two lanes."""
    return make_conversation(alice, "fake/plain", "fake/echo", endpoint=endpoint)


def lanes_of(conversation: Conversation) -> list[Lane]:
    return list(Lane.objects.live().filter(conversation=conversation).select_related("head", "conversation"))


@pytest.fixture
async def engine(transactional_db: None, fake_provider: FakeProvider) -> AsyncIterator[None]:
    """A running engine, with the endpoint of the other fixtures answered by the fake provider."""
    await supervisor.startup()
    yield
    await supervisor.shutdown()


@pytest.fixture
def settled() -> Settled:
    """Wait until no run is active; gives all runs in the order they were made."""

    async def wait() -> list[Run]:
        async def none_active() -> bool:
            return not await in_database(Run.objects.filter(finished_at__isnull=True).exists)

        await eventually(none_active)
        return await in_database(lambda: list(Run.objects.order_by("pk")))

    return wait
