"""What goes wrong around a run: stops at odd moments, a database that is away, tasks that must not die of it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations import actions
from chat.conversations.models import Conversation, Lane
from chat.database import in_database
from chat.runs import journal, reaper, supervisor, worker
from chat.runs.actions import claim_run, settle_run
from chat.runs.draft import Draft
from chat.runs.models import STALE_AFTER, Process, Run, RunChunk
from chat.runs.outcome import Outcome, outcome_of_remains
from tests.conversations.conftest import Settled
from tests.factories import make_local_endpoint
from tests.fake_provider import FakeProvider
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("engine")


class Flaky:
    """Calls through, but raises ``error`` the first ``times`` times: before the call, or ``after`` it was made."""

    def __init__(self, call: Callable[..., Any], error: Exception, times: int = 1, after: bool = False) -> None:
        self.call, self.error, self.left, self.after = call, error, times, after
        self.calls = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        fails = self.left > 0
        self.left -= 1
        if fails and not self.after:
            raise self.error
        result = self.call(*args, **kwargs)
        if fails:
            raise self.error
        return result


def running() -> supervisor.Engine:
    found = supervisor.engine()
    assert found is not None
    return found


def ask(user: User, chat: Conversation, model: str, base_url: str) -> Run:
    """Queue an answer without starting it."""
    Endpoint.objects.update(base_url=base_url)
    Lane.objects.filter(conversation=chat).update(model_id=model)
    lanes = list(Lane.objects.filter(conversation=chat).values_list("pk", flat=True))
    turn = actions.send_message(user, chat, "Hello", lanes, timezone.now().isoformat())
    return Run.objects.select_related("endpoint", "owner").get(message__turn=turn)


@pytest.fixture
async def queued(alice: User, chat: Conversation, fake_provider: FakeProvider, engine: None) -> Run:
    """A run of this process that nobody has begun."""
    running().accepting = False
    run = await in_database(ask, alice, chat, "fake/plain", fake_provider.base_url)
    running().accepting = True
    return run


async def test_a_stop_that_comes_right_behind_the_start_is_settled(queued: Run, settled: Settled) -> None:
    await in_database(lambda: Run.objects.move(queued.pk, Run.Status.QUEUED, Run.Status.STOPPED))

    running().begin(queued)
    running().cancel(queued.pk)
    [run] = await settled()

    assert run.status == Run.Status.STOPPED


async def test_a_run_stopped_before_it_began_waits_for_no_model(queued: Run, settled: Settled) -> None:
    await in_database(lambda: Run.objects.move(queued.pk, Run.Status.QUEUED, Run.Status.STOPPED))
    queued.endpoint = await in_database(make_local_endpoint)

    async def never_ready() -> str:
        raise AssertionError("It was waited for.")

    async def release(draft: Draft) -> None:
        draft.take_unsaved()

    await worker.execute(queued, Draft(queued.pk, queued.topic), running().process_id, never_ready, release)

    [run] = await settled()
    assert run.status == Run.Status.STOPPED


@pytest.mark.parametrize("error", [OperationalError("away"), InterfaceError("closed")])
@pytest.mark.parametrize("name", ["_take", "claim_run", "_store"])
async def test_a_run_survives_a_database_that_is_away_for_a_moment(
    name: str, error: Exception, queued: Run, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, name, Flaky(getattr(worker, name), error))
    monkeypatch.setattr(worker, "RETRY_PAUSES", (0.0,))

    running().begin(queued)
    [run] = await settled()

    assert run.status == Run.Status.DONE and run.text


async def test_a_claim_whose_confirmation_was_lost_counts(
    queued: Run, settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "claim_run", Flaky(claim_run, OperationalError("lost"), after=True))
    monkeypatch.setattr(worker, "RETRY_PAUSES", (0.0,))

    running().begin(queued)
    [run] = await settled()

    assert run.status == Run.Status.DONE


async def test_the_reaper_outlives_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    await supervisor.shutdown()
    flaky = Flaky(reaper.reap, OperationalError("database is locked"), times=2)
    monkeypatch.setattr(reaper, "reap", flaky)
    monkeypatch.setattr(reaper, "INTERVAL_SECONDS", 0.01)

    await supervisor.startup()

    await eventually(lambda: flaky.calls > 3)


@pytest.mark.parametrize("error", [OperationalError("locked"), InterfaceError("closed"), RuntimeError("a bug")])
async def test_the_journal_outlives_what_goes_wrong_and_loses_nothing(
    error: Exception, queued: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_store", Flaky(journal._store, error))
    draft = Draft(queued.pk, queued.topic)
    draft._add(draft._text, draft.body, RunChunk.Kind.TEXT, "kept")

    running().drafts[queued.pk] = draft

    async def stored() -> bool:
        return await in_database(lambda: list(RunChunk.objects.values_list("text", flat=True))) == ["kept"]

    await eventually(stored)
    del running().drafts[queued.pk]


async def test_chunks_whose_confirmation_was_lost_are_stored_once(queued: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    flaky = Flaky(journal._store, OperationalError("lost"), after=True)
    monkeypatch.setattr(journal, "_store", flaky)
    draft = Draft(queued.pk, queued.topic)
    draft._add(draft._text, draft.body, RunChunk.Kind.TEXT, "once")
    running().drafts[queued.pk] = draft

    await eventually(lambda: flaky.calls > 1)
    draft._add(draft._text, draft.body, RunChunk.Kind.TEXT, " more")

    async def stored() -> bool:
        texts = await in_database(lambda: list(RunChunk.objects.order_by("seq").values_list("text", flat=True)))
        return "".join(texts) == "once more"

    await eventually(stored)
    del running().drafts[queued.pk]


async def test_a_process_that_was_silent_itself_buries_nobody(queued: Run) -> None:
    def fall_silent() -> None:
        Process.objects.update(heartbeat_at=timezone.now() - 2 * STALE_AFTER)

    await in_database(fall_silent)
    reaped = await in_database(reaper.reap, running().process_id)

    assert reaped == 0
    assert await in_database(Process.objects.filter(pk=running().process_id).exists)


async def test_a_run_of_this_process_that_nobody_writes_is_interrupted(queued: Run, settled: Settled) -> None:
    await in_database(lambda: Run.objects.move(queued.pk, Run.Status.QUEUED, Run.Status.STREAMING))

    for _ in range(2):
        await running().reap()
    [run] = await settled()

    assert run.status == Run.Status.INTERRUPTED


async def test_a_reaper_that_meets_an_odd_run_ends_the_others(
    alice: User, comparison: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave_two_behind() -> None:
        running().accepting = False
        lanes = list(Lane.objects.filter(conversation=comparison).values_list("pk", flat=True))
        actions.send_message(alice, comparison, "Hello", lanes, "two")
        long_ago = timezone.now() - 2 * STALE_AFTER
        dead = Process.objects.create(host="elsewhere", pid=1, heartbeat_at=long_ago)
        Run.objects.update(process=dead, created_at=long_ago)

    monkeypatch.setattr(reaper, "outcome_of_remains", Flaky(outcome_of_remains, ValueError("odd")))
    await in_database(leave_two_behind)

    reaped = await in_database(reaper.reap, running().process_id)

    assert reaped == 1


async def test_an_absurd_cost_is_not_known(queued: Run, settled: Settled) -> None:
    absurd = Outcome(Run.Status.FAILED, {"prompt_tokens": 10**9, "completion_tokens": 10**9, "text": "kept"})
    await in_database(lambda: Run.objects.update(input_price=100_000, output_price=100_000))

    await in_database(settle_run, queued.pk, absurd, running().process_id)
    [run] = await settled()

    assert (run.text, run.cost) == ("kept", None)


async def test_a_provider_that_says_try_again_at_once_is_not_asked_forever(
    alice: User, chat: Conversation, fake_provider: FakeProvider, settled: Settled
) -> None:
    await in_database(ask, alice, chat, "fake/rate-limited-always:0", fake_provider.base_url)

    [run] = await settled()

    assert run.status == Run.Status.FAILED
    assert len(fake_provider.chats) < 10


async def test_a_second_process_without_redis_is_told_what_it_lacks(caplog: pytest.LogCaptureFixture) -> None:
    await supervisor.shutdown()
    await in_database(lambda: Process.objects.create(host="elsewhere", pid=1))

    await supervisor.startup()

    assert "Other processes serve this database: 1. Set REDIS_URL" in caplog.text


async def test_a_stop_that_was_made_elsewhere_is_noticed(
    alice: User, chat: Conversation, fake_provider: FakeProvider, settled: Settled
) -> None:
    run = await in_database(ask, alice, chat, "fake/gated", fake_provider.base_url)
    await eventually(lambda: bool(fake_provider.chats))

    await in_database(lambda: Run.objects.move(run.pk, Run.ACTIVE, Run.Status.STOPPED))
    await running().reap()
    await settled()

    await eventually(fake_provider.chats[-1].left.is_set)
