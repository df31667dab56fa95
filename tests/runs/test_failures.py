"""Every way a provider is known to fail ends as a sentence, with ways out, and takes nothing along."""

import re

import pytest

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations import actions
from chat.conversations.frames import ended_answer
from chat.conversations.models import Conversation, Lane
from chat.database import in_database
from chat.runs.models import Run
from tests.conversations.conftest import Settled
from tests.fake_answers import ERRORS
from tests.fake_provider import FakeProvider

pytestmark = pytest.mark.usefixtures("engine")

BROKEN = [
    "empty",
    "empty-done",
    "html",
    "text",
    "malformed",
    "one-50mb-line",
    "cut-off",
    "cut-utf8",
    "dies-midstream",
    "error-in-stream",
    "error-text-in-stream",
    "bad-status-line",
    "rate-limited-always:60",
]
UNREACHABLE = {"refused": "http://127.0.0.1:9/v1", "no such name": "http://nonexistent.invalid/v1"}
SETTINGS = {"temperature": 0.5, "max_tokens": 64}


async def ask(user: User, chat: Conversation, base_url: str, scenario: str, settled: Settled) -> Run:
    def write() -> None:
        timeouts = {"connect_timeout": 2, "first_token_timeout": 1, "between_tokens_timeout": 1}
        Endpoint.objects.update(base_url=base_url, **timeouts)
        Lane.objects.filter(conversation=chat).update(model_id=f"fake/{scenario}", parameters=SETTINGS)
        lanes = Lane.objects.filter(conversation=chat).values_list("pk", flat=True)
        actions.send_message(user, chat, "How is the sea?", list(lanes), scenario)

    await in_database(write)
    [run] = await settled()
    return run


async def shown(run: Run) -> str:
    return await in_database(ended_answer, run.pk, whole=True)


async def assert_failed_well(user: User, chat: Conversation, run: Run) -> None:
    page = await shown(run)
    lane = await in_database(Lane.objects.get, conversation=chat)
    assert run.status == Run.Status.FAILED
    assert re.fullmatch(r"[A-Z“].*[.!?]", run.error_sentence), run.error_sentence
    assert 'data-status="failed"' in page
    assert 'class="notice-remedies"' in page or not run.error_remedies
    assert lane.parameters == SETTINGS


@pytest.mark.parametrize("name", sorted(ERRORS))
async def test_a_refusal_is_told_in_a_sentence_with_the_raw_answer(
    name: str, alice: User, chat: Conversation, fake_provider: FakeProvider, settled: Settled
) -> None:
    run = await ask(alice, chat, fake_provider.base_url, f"error-{name}", settled)

    await assert_failed_well(alice, chat, run)
    body = ERRORS[name][2]
    assert run.error_raw or not body.strip()


@pytest.mark.parametrize("scenario", [*BROKEN, "stall-headers", "stall-before", "stall-between", "stall-keepalive"])
async def test_a_broken_answer_is_told_in_a_sentence(
    scenario: str, alice: User, chat: Conversation, fake_provider: FakeProvider, settled: Settled
) -> None:
    run = await ask(alice, chat, fake_provider.base_url, scenario, settled)

    await assert_failed_well(alice, chat, run)


@pytest.mark.parametrize("name", UNREACHABLE)
async def test_a_provider_out_of_reach_is_told_in_a_sentence(
    name: str, alice: User, chat: Conversation, settled: Settled, fake_provider: FakeProvider
) -> None:
    run = await ask(alice, chat, UNREACHABLE[name], "plain", settled)

    await assert_failed_well(alice, chat, run)
    assert "retry" in run.error_remedies


@pytest.mark.parametrize("scenario", ["cut-off", "dies-midstream", "error-in-stream", "stall-between", "cut-utf8"])
async def test_the_text_before_a_failure_is_kept_and_can_be_gone_on_with(
    scenario: str, alice: User, chat: Conversation, fake_provider: FakeProvider, settled: Settled
) -> None:
    run = await ask(alice, chat, fake_provider.base_url, scenario, settled)

    assert run.text.strip() and run.html
    assert "Continue" in await shown(run)


@pytest.mark.parametrize(
    "scenario", ["no-done", "no-usage", "absurd-usage", "usage-everywhere", "comments", "json-body"]
)
async def test_an_odd_but_whole_answer_is_no_failure(
    scenario: str, alice: User, chat: Conversation, fake_provider: FakeProvider, settled: Settled
) -> None:
    run = await ask(alice, chat, fake_provider.base_url, scenario, settled)

    assert (run.status, run.error_sentence) == (Run.Status.DONE, "")
    assert run.text
