"""Streams that break off at any byte, trickle or flood, through the whole engine over real sockets."""

import os
from collections.abc import Awaitable, Callable

import pytest

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations import actions
from chat.conversations.models import Lane
from chat.database import in_database
from chat.runs.draft import MAX_CHARACTERS
from chat.runs.models import Run
from tests.conversations.conftest import Settled
from tests.factories import make_conversation
from tests.fake_answers import CUT_TEXT, CUTTABLE
from tests.fake_provider import FakeProvider

pytestmark = pytest.mark.usefixtures("engine")
# Every byte takes a while; beside other tests some are enough.
STEP = 1 if os.environ.get("SOAK") == "full" else 7
AT_ONCE = 20
Ask = Callable[..., Awaitable[None]]


@pytest.fixture
def ask(alice: User, endpoint: Endpoint, fake_provider: FakeProvider) -> Ask:
    """Ask some models at once, each in a chat of its own."""

    async def ask(*models: str) -> None:
        def write() -> None:
            Endpoint.objects.filter(pk=endpoint.pk).update(base_url=fake_provider.base_url)
            for model in models:
                chat = make_conversation(alice, model, endpoint=endpoint)
                actions.send_message(alice, chat, "Hello", [Lane.objects.get(conversation=chat).pk], f"of {chat.pk}")

        await in_database(write)

    return ask


async def test_an_answer_that_breaks_off_at_any_byte_keeps_its_beginning(ask: Ask, settled: Settled) -> None:
    places = [*range(0, len(CUTTABLE), STEP), len(CUTTABLE)]
    for start in range(0, len(places), AT_ONCE):
        await ask(*(f"fake/cut-at:{place}" for place in places[start : start + AT_ONCE]))
        runs = await settled()

    said = len(CUTTABLE[: CUTTABLE.index(b'"stop"')])
    assert len(runs) == len(places)
    for run, place in zip(runs, places, strict=True):
        assert CUT_TEXT.startswith(run.text)
        assert run.status == Run.Status.DONE or run.error_kind in ("cut_off", "empty", "broken_connection"), place
        assert run.text == CUT_TEXT or place < said
        assert run.status == Run.Status.FAILED or place > said


async def test_an_answer_that_trickles_is_whole(ask: Ask, settled: Settled) -> None:
    await ask("fake/trickle:1")

    [run] = await settled()

    assert (run.status, run.text) == (Run.Status.DONE, CUT_TEXT)


async def test_an_answer_that_floods_ends_at_a_bound_and_leaves_another_alone(ask: Ask, settled: Settled) -> None:
    await ask("fake/flood:40", "fake/paced:100")

    flood, paced = await settled()

    assert flood.status == Run.Status.FAILED and MAX_CHARACTERS < len(flood.text) < 2 * MAX_CHARACTERS
    assert paced.status == Run.Status.DONE and paced.text.startswith("0=")
