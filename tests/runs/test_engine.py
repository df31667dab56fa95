"""Runs from queue to end, against a real server that plays each scenario."""

from collections.abc import Awaitable, Callable

import pytest

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations import actions, tree_actions
from chat.conversations.models import Conversation, Lane
from chat.database import in_database
from chat.runs import supervisor
from chat.runs.models import Run, RunChunk
from chat.usage.models import UsageRecord
from tests.conversations.conftest import Settled
from tests.fake_provider import FakeProvider
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("engine")

Send = Callable[..., Awaitable[None]]


@pytest.fixture
def send(alice: User, chat: Conversation, endpoint: Endpoint, fake_provider: FakeProvider) -> Send:
    """Ask a scenario of the fake provider in a chat with one lane."""

    async def ask(scenario: str, text: str = "Hello") -> None:
        def write() -> None:
            Endpoint.objects.filter(pk=endpoint.pk).update(base_url=fake_provider.base_url)
            Lane.objects.filter(conversation=chat).update(model_id=f"fake/{scenario}")
            lanes = Lane.objects.filter(conversation=chat).values_list("pk", flat=True)
            actions.send_message(alice, chat, text, list(lanes), f"{scenario}-{text}")

        await in_database(write)

    return ask


async def test_an_answer_is_stored_with_its_figures(send: Send, settled: Settled) -> None:
    await send("plain")

    [run] = await settled()

    assert run.status == Run.Status.DONE
    assert run.text and run.html.startswith('<div class="block">')
    assert run.first_token_seconds is not None and run.elapsed_seconds is not None
    assert run.prompt_tokens and run.completion_tokens and run.finish_reason == "stop"
    assert run.served_by and run.response_id


async def test_usage_is_recorded_once(send: Send, settled: Settled) -> None:
    await send("plain")
    [run] = await settled()

    [record] = await in_database(lambda: list(UsageRecord.objects.all()))

    assert (record.run_id, record.completion_tokens) == (run.pk, run.completion_tokens)


async def test_stopping_closes_the_connection_and_keeps_the_text(
    send: Send, settled: Settled, fake_provider: FakeProvider
) -> None:
    await send("slow:20")
    [draft] = supervisor.engine().drafts.values()  # type: ignore[union-attr]
    await eventually(lambda: draft.text.count(" ") > 5)

    await in_database(lambda: tree_actions.stop_conversation(Conversation.objects.get()))
    [run] = await settled()

    assert run.status == Run.Status.STOPPED
    assert run.text.startswith("word1 word2 ")
    await eventually(lambda: fake_provider.chats[0].left_at is not None, within=1)


async def test_live_text_is_journaled_while_it_is_written(send: Send, settled: Settled) -> None:
    await send("slow:20")

    def stored() -> str:
        return "".join(RunChunk.objects.values_list("text", flat=True))

    async def enough() -> bool:
        return (await in_database(stored)).count("word") > 10

    await eventually(enough)
    await in_database(lambda: tree_actions.stop_conversation(Conversation.objects.get()))
    await settled()
    assert not await in_database(RunChunk.objects.exists)


async def test_a_waiting_message_is_asked_once_the_answer_above_has_ended(
    send: Send, settled: Settled, fake_provider: FakeProvider
) -> None:
    await send("gated", "One")
    await send("gated", "Two")

    fake_provider.gate("gated").open()
    runs = await settled()

    assert [run.status for run in runs] == ["done", "done"]
    asked = fake_provider.chats[1].body["messages"]
    assert [message["role"] for message in asked] == ["user", "assistant", "user"]


async def test_a_waiting_message_asks_no_endpoint_that_was_switched_off_meanwhile(
    send: Send, settled: Settled, fake_provider: FakeProvider
) -> None:
    await send("gated", "One")
    await send("gated", "Two")
    await in_database(lambda: Endpoint.objects.update(enabled=False))

    fake_provider.gate("gated").open()
    first, second = await settled()

    assert first.status == Run.Status.DONE
    assert (second.status, second.error_kind) == (Run.Status.FAILED, "switched_off")
    assert len(fake_provider.chats) == 1


async def test_retry_after_is_obeyed_before_the_first_token(
    send: Send, settled: Settled, fake_provider: FakeProvider
) -> None:
    await send("rate-limited")

    [run] = await settled()

    assert run.status == Run.Status.DONE
    assert len(fake_provider.chats) == 2


async def test_a_model_that_loads_is_waited_for_as_long_as_it_guesses(
    send: Send, settled: Settled, fake_provider: FakeProvider
) -> None:
    await send("loading")
    [draft] = supervisor.engine().drafts.values()  # type: ignore[union-attr]

    await eventually(lambda: draft.notice == "The model is loading; it should be ready in about 1 s.")
    [run] = await settled()

    assert run.status == Run.Status.DONE
    assert len(fake_provider.chats) == 2


async def test_a_model_that_loads_for_too_long_is_told_at_once(
    send: Send, settled: Settled, fake_provider: FakeProvider
) -> None:
    await send("error-503-loading")

    [run] = await settled()

    assert run.error_sentence == "The model is still loading. Try again in 2 minutes."
    assert "retry" in run.error_remedies
    assert len(fake_provider.chats) == 1


@pytest.mark.parametrize(
    ("scenario", "kind"),
    [
        ("error-402", "no_credit"),
        ("dies-midstream", "broken_connection"),
        ("error-in-stream", "stream_error"),
        ("html", "malformed"),
    ],
)
async def test_a_failure_keeps_its_kind_and_a_sentence(send: Send, settled: Settled, scenario: str, kind: str) -> None:
    await send(scenario)

    [run] = await settled()

    assert run.status == Run.Status.FAILED
    assert run.error_sentence.endswith(".")
    assert run.error_kind == kind


async def test_text_before_a_failure_survives(send: Send, settled: Settled) -> None:
    await send("dies-midstream")

    [run] = await settled()

    assert run.text.strip() and run.html


async def test_one_lane_failing_leaves_the_other_alone(
    alice: User, comparison: Conversation, endpoint: Endpoint, settled: Settled, fake_provider: FakeProvider
) -> None:
    def write() -> None:
        Endpoint.objects.filter(pk=endpoint.pk).update(base_url=fake_provider.base_url)
        first, second = Lane.objects.order_by("pk")
        Lane.objects.filter(pk=first.pk).update(model_id="fake/error-500")
        actions.send_message(alice, comparison, "Hi", [first.pk, second.pk], "x")

    await in_database(write)

    runs = await settled()

    assert [run.status for run in runs] == ["failed", "done"]


async def test_shutting_down_keeps_the_text_as_interrupted(send: Send, settled: Settled) -> None:
    await send("slow:20")
    [draft] = supervisor.engine().drafts.values()  # type: ignore[union-attr]
    await eventually(lambda: len(draft.text) > 20)

    await supervisor.drain(0)
    [run] = await settled()

    assert run.status == Run.Status.INTERRUPTED
    assert run.text.startswith("word1 ") and "continue" in run.error_remedies


@pytest.mark.parametrize("scenario", ["no-usage", "cut-off"])
async def test_usage_that_the_provider_does_not_say_is_estimated_and_marked(
    send: Send, settled: Settled, scenario: str
) -> None:
    await send(scenario, "How is the sea today?")
    [run] = await settled()

    record = await in_database(UsageRecord.objects.get)

    assert run.text and run.usage_estimated and run.counted_tokens is None
    assert (run.prompt_tokens, run.completion_tokens) == (14, -(-len(run.text.encode()) // 4))
    assert (record.prompt_tokens, record.completion_tokens, record.estimated) == (14, run.completion_tokens, True)


async def test_what_was_refused_before_a_word_is_not_estimated(send: Send, settled: Settled) -> None:
    await send("html")
    [run] = await settled()

    record = await in_database(UsageRecord.objects.get)

    assert (run.status, run.usage_estimated, run.prompt_tokens, run.completion_tokens) == ("failed", None, None, None)
    assert (record.estimated, record.prompt_tokens) == (False, None)


async def test_reported_usage_is_no_estimate(send: Send, settled: Settled) -> None:
    await send("plain")
    [run] = await settled()

    assert run.usage_estimated is None and run.counted_tokens
    assert not (await in_database(UsageRecord.objects.get)).estimated
