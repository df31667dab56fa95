"""The figures for Prometheus: who may read them, and that they count what happened."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from chat import metrics
from chat.accounts import sockets
from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations import actions, tree_actions
from chat.conversations.models import Conversation, Lane
from chat.database import in_database
from chat.runs.models import Run
from chat.usage.models import UsageRecord
from tests.conversations.conftest import Settled, alice, chat, endpoint, engine, fake_provider, settled
from tests.fake_provider import FakeProvider
from tests.unreachable import unreachable_database
from tests.waiting import eventually

__all__ = ["alice", "chat", "endpoint", "engine", "fake_provider", "settled", "unreachable_database"]
TOKEN = "what-prometheus-was-told"


@pytest.fixture(autouse=True)
def token(settings: Any) -> str:
    settings.METRICS_TOKEN = TOKEN
    return TOKEN


def figures() -> dict[str, float]:
    """All samples as Prometheus would read them, by name and labels."""
    page = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert page.status_code == 200
    return {
        " ".join((sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items())))): sample.value
        for family in text_string_to_metric_families(page.content.decode())
        for sample in family.samples
    }


@pytest.fixture
def before() -> Iterator[dict[str, float]]:
    """What the counters of this process said when the test began: other tests counted too."""
    yield {
        " ".join((sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items())))): sample.value
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \xe9"],
)
def test_without_the_token_there_is_no_such_page(authorization: str | None, client: Client) -> None:
    answer = client.get("/metrics", headers={} if authorization is None else {"Authorization": authorization})

    assert answer.status_code == 404 and b"playground_" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("authorization", ["Bearer ", "Bearer", "", f"Bearer {TOKEN}"])
def test_where_no_token_is_set_nothing_opens_the_page(authorization: str, client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""

    assert client.get("/metrics", headers={"Authorization": authorization}).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_token_opens_it_and_no_session_begins(scheme: str, client: Client) -> None:
    answer = client.get("/metrics", headers={"Authorization": f"{scheme} {TOKEN}"})

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert "no-store" in answer["Cache-Control"] and not answer.cookies


@pytest.mark.django_db
def test_build_and_process_are_named() -> None:
    found = figures()

    assert any(name.startswith("playground_build_info ") and "version=0.1.0" in name for name in found)
    assert found["process_resident_memory_bytes"] > 0


@pytest.mark.django_db(transaction=True)
def test_runs_of_all_processes_are_counted_by_state(alice: User, endpoint: Endpoint) -> None:
    for status in (Run.Status.QUEUED, Run.Status.STREAMING, Run.Status.STREAMING, Run.Status.STOPPED):
        Run.objects.create(owner=alice, topic="c", status=status, endpoint=endpoint, model_id="m")

    found = figures()

    counted = {status: found[f"playground_runs status={status}"] for status in ("queued", "streaming", "stopped")}
    assert counted == {"queued": 1, "streaming": 2, "stopped": 1}


def test_a_database_that_is_away_hides_no_other_figure(unreachable_database: None) -> None:
    found = figures()

    assert found["playground_database_up"] == 0
    assert "playground_open_sockets" in found and "playground_runs status=queued" not in found


async def test_an_answer_counts_once_it_has_ended(
    before: dict[str, float],
    alice: User,
    chat: Conversation,
    engine: None,
    endpoint: Endpoint,
    fake_provider: FakeProvider,
    settled: Settled,
) -> None:
    await ask(alice, chat, fake_provider, "plain")
    await settled()

    async def counted() -> bool:
        return grown(before, "playground_runs_ended_total endpoint=fake status=done") == 1

    await eventually(counted)
    used = await in_database(lambda: UsageRecord.objects.get().completion_tokens)
    assert grown(before, "playground_tokens_total endpoint=fake") == used
    assert grown(before, "playground_first_token_seconds_count endpoint=fake") == 1
    assert grown(before, "playground_run_seconds_count endpoint=fake") == 1
    assert grown(before, "playground_database_wait_seconds_count") > 3
    # Anybody may type any model: as a label each would be a series for ever.
    assert b"fake/plain" not in generate_latest(metrics.REGISTRY)


async def test_what_a_provider_failed_counts_by_its_kind_also_when_it_was_asked_again(
    before: dict[str, float],
    alice: User,
    chat: Conversation,
    engine: None,
    endpoint: Endpoint,
    fake_provider: FakeProvider,
    settled: Settled,
) -> None:
    await ask(alice, chat, fake_provider, "rate-limited")
    [run] = await settled()

    assert run.status == Run.Status.DONE
    assert grown(before, "playground_upstream_errors_total endpoint=fake kind=rate_limited") == 1


async def test_the_journal_is_timed_and_live_runs_are_counted(
    before: dict[str, float],
    alice: User,
    chat: Conversation,
    engine: None,
    endpoint: Endpoint,
    fake_provider: FakeProvider,
    settled: Settled,
) -> None:
    await ask(alice, chat, fake_provider, "slow:20")

    await eventually(lambda: grown(before, "playground_journal_seconds_count") > 1)
    await eventually(lambda: grown(before, "playground_loop_lag_seconds_count") > 1)
    assert metrics.REGISTRY.get_sample_value("playground_live_runs") == 1

    await in_database(lambda: tree_actions.stop_conversation(Conversation.objects.get()))
    await settled()
    await eventually(lambda: metrics.REGISTRY.get_sample_value("playground_live_runs") == 0)


async def test_open_sockets_are_counted_until_they_close() -> None:
    with sockets.register(1, "x", lambda code: None):
        during = metrics.REGISTRY.get_sample_value("playground_open_sockets")
    after = metrics.REGISTRY.get_sample_value("playground_open_sockets")

    assert (during, after) == (1, 0)


async def ask(alice: User, chat: Conversation, fake_provider: FakeProvider, scenario: str) -> None:
    def write() -> None:
        Endpoint.objects.update(base_url=fake_provider.base_url)
        Lane.objects.update(model_id=f"fake/{scenario}")
        actions.send_message(alice, chat, "Hello", [Lane.objects.get().pk], scenario)

    await in_database(write)


def grown(before: dict[str, float], name: str) -> float:
    name, *labels = name.split(" ")
    value = metrics.REGISTRY.get_sample_value(name, dict(label.split("=") for label in labels)) or 0
    return value - before.get(" ".join((name, *labels)), 0)
