"""An answer reserves before it begins and settles however it ends; nothing stays reserved after it."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, LanguageModel, Offer
from chat.conversations import actions, list_actions, tree_actions
from chat.conversations.errors import OverLimit
from chat.conversations.models import Conversation, Lane, Turn
from chat.database import in_database
from chat.keys.limits import Limit, Measure, Reservation, Tally
from chat.keys.models import KeyGrant
from chat.runs import reaper, supervisor
from chat.runs.models import STALE_AFTER, Process, Run
from tests.conversations.conftest import Settled
from tests.factories import make_conversation, make_shared_key
from tests.fake_provider import FakeProvider
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("engine")

Send = Callable[..., Awaitable[Turn]]


@pytest.fixture
def limited(transactional_db: None, alice: User, endpoint: Endpoint, fake_provider: FakeProvider) -> KeyGrant:
    """A shared key with a limit of each kind, at the fake provider, with all its models at 10 $ a million tokens."""
    Endpoint.objects.filter(pk=endpoint.pk).update(base_url=fake_provider.base_url, needs_key=True)
    endpoint.refresh_from_db()
    grant = KeyGrant.objects.create(shared_key=make_shared_key(endpoint), everyone=True)
    amounts = {
        Measure.REQUESTS_PER_MINUTE: 1000,
        Measure.TOKENS_PER_DAY: 10_000,
        Measure.MONEY_PER_DAY: 1,
        Measure.MONEY_PER_MONTH: 5,
    }
    for measure, at_most in amounts.items():
        Limit.objects.create(grant=grant, measure=measure, at_most=at_most)
    return grant


@pytest.fixture
def send(alice: User, limited: KeyGrant, endpoint: Endpoint) -> Send:
    """Ask a scenario of the fake provider, each in a chat of its own."""

    async def ask(scenario: str, text: str = "Hello", chat: Conversation | None = None, **parameters: Any) -> Turn:
        def write() -> Turn:
            asked = chat or make_conversation(alice, f"fake/{scenario}", endpoint=endpoint)
            model, _ = LanguageModel.objects.get_or_create(hub_id=f"fake/{scenario}")
            prices = {"input_price": 10, "output_price": 10}
            Offer.objects.get_or_create(endpoint=endpoint, language_model=model, defaults=prices)
            Lane.objects.filter(conversation=asked).update(
                model_id=f"fake/{scenario}", parameters={"max_tokens": 100, **parameters}
            )
            return actions.send_message(alice, asked, text, [], f"{scenario}-{text}")

        return await in_database(write)

    return ask


def sums() -> dict[str, tuple[Any, Any]]:
    tallies = Tally.objects.select_related("limit")
    return {tally.limit.measure: (tally.used, tally.reserved) for tally in tallies}


def tokens_of(run: Run) -> int:
    return (run.prompt_tokens or 0) + (run.completion_tokens or 0)


async def assert_settled(run: Run, tokens: int | None = None) -> None:
    """What the run took is counted, and nothing is kept for it any more."""
    found = await in_database(sums)
    assert {reserved for _, reserved in found.values()} == {0}
    assert not await in_database(Reservation.objects.exists)
    if tokens is not None:
        assert found["tokens_day"][0] == tokens
        assert found["money_day"][0] == found["money_month"][0] == Decimal(tokens) / 100_000
        assert found["requests_minute"][0] <= 1


async def test_an_answer_that_is_done_counts_what_its_provider_says(send: Send, settled: Settled) -> None:
    await send("plain")

    [run] = await settled()

    assert run.status == Run.Status.DONE and tokens_of(run) > 0
    await assert_settled(run, tokens_of(run))


async def test_while_it_is_written_its_worst_case_is_kept(send: Send, settled: Settled) -> None:
    await send("slow:2")

    reserved = (await in_database(sums))["tokens_day"][1]

    assert 100 < reserved < 130
    await settled()


async def test_one_that_is_stopped_counts_an_estimate(send: Send, settled: Settled) -> None:
    turn = await send("slow:2")
    [draft] = supervisor.engine().drafts.values()  # type: ignore[union-attr]
    await eventually(lambda: draft.text.count(" ") > 5)

    await in_database(lambda: tree_actions.stop_conversation(turn.conversation))
    [run] = await settled()

    assert run.status == Run.Status.STOPPED and run.usage_estimated
    used = (await in_database(sums))["tokens_day"][0]
    assert len(run.text) // 4 <= used <= len(run.text) // 4 + 30
    await assert_settled(run)


@pytest.mark.parametrize("scenario", ["error-401", "error-402", "error-500", "error-in-stream", "empty"])
async def test_one_that_fails_settles(send: Send, settled: Settled, scenario: str) -> None:
    await send(scenario)

    [run] = await settled()

    assert run.status == Run.Status.FAILED
    await assert_settled(run, None if run.text else 0)


async def test_one_that_is_taken_back_while_it_waits_gives_all_back(send: Send, settled: Settled) -> None:
    first = await send("slow:2")
    waiting = await send("slow:2", "And then?", first.conversation)

    before = (await in_database(sums))["requests_minute"][1]
    await in_database(lambda: tree_actions.take_back(waiting))
    after = (await in_database(sums))["requests_minute"][1]

    assert (before, after) == (2, 1)
    await settled()
    assert (await in_database(sums))["requests_minute"] == (1, 0)


async def test_one_that_waits_reserves_for_the_answer_above_it_too(send: Send, settled: Settled) -> None:
    first = await send("slow:2")
    alone = (await in_database(sums))["tokens_day"][1]
    await send("slow:2", "And then?", first.conversation)

    both = (await in_database(sums))["tokens_day"][1]

    # Its own hundred tokens, and those of the answer that its request will hold.
    assert both - alone >= 200
    await settled()


async def test_one_whose_process_is_gone_counts_an_estimate(send: Send, settled: Settled, limited: KeyGrant) -> None:
    await send("slow:2")
    [draft] = supervisor.engine().drafts.values()  # type: ignore[union-attr]
    await eventually(lambda: draft.text.count(" ") > 5)

    def reap() -> None:
        own = Process.objects.create(host="here", pid=1)
        Process.objects.exclude(pk=own.pk).update(heartbeat_at=timezone.now() - 2 * STALE_AFTER)
        reaper.reap(own.pk)

    await in_database(reap)
    [run] = await settled()

    assert run.status == Run.Status.INTERRUPTED
    assert (await in_database(sums))["tokens_day"][0] > 0
    await assert_settled(run)


async def test_one_whose_row_is_gone_is_settled_by_the_next_sweep(send: Send, settled: Settled) -> None:
    await send("plain")
    [run] = await settled()

    def forget() -> None:
        tally = Tally.objects.filter(limit__measure="tokens_day").get()
        Reservation.objects.create(run_id=999_999, tally=tally, window_start=tally.window_start, amount=70)
        Tally.objects.filter(pk=tally.pk).update(reserved=70)
        own = Process.objects.create(host="here", pid=1)
        reaper.reap(own.pk)

    await in_database(forget)

    await assert_settled(run, tokens_of(run))


async def test_a_chat_that_is_deleted_meanwhile_settles(send: Send, settled: Settled) -> None:
    turn = await send("slow:2")

    await in_database(lambda: list_actions.delete(turn.conversation))
    [run] = await settled()

    await assert_settled(run)


async def test_usage_that_is_missing_is_counted_by_an_estimate(send: Send, settled: Settled) -> None:
    await send("plain", stream_usage=False)

    [run] = await settled()

    assert run.status == Run.Status.DONE and run.usage_estimated and run.text
    await assert_settled(run, tokens_of(run))
    assert tokens_of(run) > len(run.text) // 4


async def test_a_model_without_a_price_is_counted_at_the_assumed_one(
    send: Send, settled: Settled, settings: LazySettings
) -> None:
    settings.ASSUMED_PRICE = 1000
    await send("plain")
    await settled()
    await in_database(lambda: Offer.objects.update(input_price=None, output_price=None))
    before = (await in_database(sums))["money_day"][0]
    await send("plain", "Once more")

    [_, run] = await settled()

    assert run.cost is None
    assert (await in_database(sums))["money_day"][0] - before == Decimal(tokens_of(run)) / 1000


async def test_a_send_over_a_limit_writes_nothing_and_says_why(send: Send, limited: KeyGrant) -> None:
    with pytest.raises(OverLimit) as refusal:
        await send("plain", max_tokens=20_000)

    assert refusal.value.sentence.startswith("This can take up to 20,0")
    assert "more than today's 10,000 tokens on Team key …cd34. It resets at 00:00 (UTC)." in refusal.value.sentence
    assert not await in_database(Run.objects.exists)
    assert not await in_database(Reservation.objects.exists)


async def test_many_at_once_never_take_more_than_there_is(send: Send, settled: Settled, limited: KeyGrant) -> None:
    await in_database(lambda: Limit.objects.filter(measure="requests_minute").update(at_most=3))

    sent = await asyncio.gather(*(send("plain", str(number)) for number in range(6)), return_exceptions=True)

    assert sum(isinstance(turn, Turn) for turn in sent) == 3
    await settled()
