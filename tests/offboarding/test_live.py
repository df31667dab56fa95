"""Who is offboarded while an answer is being written loses the page and the answer at once; others lose nothing."""

import asyncio

import pytest

from chat.accounts import sockets
from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations.models import Conversation, Lane
from chat.database import in_database
from chat.offboarding.actions import offboard
from chat.runs.models import Run
from tests.conversations.conftest import alice, charlie, chat, endpoint, engine, fake_provider, settled
from tests.conversations.test_socket import Page, send, session_of
from tests.factories import make_conversation
from tests.fake_provider import FakeProvider
from tests.waiting import eventually

__all__ = ["alice", "charlie", "chat", "endpoint", "engine", "fake_provider", "settled"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def theirs(chat: Conversation, alice: User, engine: None, fake_provider: FakeProvider) -> list[Page]:
    """Two pages of hers, on which an answer has begun."""
    await in_database(lambda: Endpoint.objects.update(base_url=fake_provider.base_url))
    await in_database(lambda: Lane.objects.update(model_id="fake/gated"))
    pages = [Page(chat.pk, await in_database(session_of, alice)) for _ in range(2)]
    for page in pages:
        assert await page.open()
    await send(pages[0], chat)
    fake_provider.gate("gated").release()
    for page in pages:
        await page.until("The")
    return pages


async def test_pages_close_and_the_answer_ends(
    theirs: list[Page], alice: User, charlie: User, endpoint: Endpoint, fake_provider: FakeProvider
) -> None:
    other = await in_database(lambda: make_conversation(charlie, "fake/plain", endpoint=endpoint))
    bystander = Page(other.pk, await in_database(session_of, charlie))
    assert await bystander.open()

    await in_database(offboard, alice, None)
    closed = await asyncio.gather(*(page.close_code() for page in theirs))

    assert closed == [sockets.SESSION_ENDED] * 2
    await eventually(lambda: in_database(lambda: Run.objects.get().finished_at is not None))
    run = await in_database(Run.objects.get)
    assert run.status == Run.Status.STOPPED and run.text.startswith("The")
    await send(bystander, other)
    await bystander.until('data-status="done"')
    await bystander.socket.disconnect()


async def test_the_same_page_is_let_in_no_more(theirs: list[Page], alice: User, chat: Conversation) -> None:
    key = await in_database(session_of, alice)

    await in_database(offboard, alice, None)
    again = Page(chat.pk, key)
    await again.open()

    assert await again.close_code() == sockets.SESSION_ENDED
