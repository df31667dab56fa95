"""When lists are read, and what becomes of them when an endpoint does not answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django.fixtures import Settings

from chat.catalogue import actions, sync
from chat.catalogue.models import Endpoint, Offer
from chat.local import supervisor as local_model
from chat.providers.credential import Credential
from chat.providers.errors import provider_error
from chat.providers.reach import Reach
from tests.catalogue.lists import LLAMA, ROUTER_LIST, answer, fill_local
from tests.factories import make_endpoint, make_local_endpoint
from tests.waiting import eventually

pytestmark = pytest.mark.django_db(transaction=True)


class FakeEndpoints:
    """Answers by URL: a value is the document, an exception is raised; remembers who asked with what."""

    def __init__(self, answers: dict[str, Any] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[tuple[str, Credential | None]] = []

    async def __call__(self, url: str, credential: Credential | None = None, *, reach: Reach) -> object:
        self.asked.append((url, credential))
        found = self.answers.get(url, ROUTER_LIST)
        if isinstance(found, Exception):
            raise found
        return found

    @property
    def urls(self) -> list[str]:
        return [url for url, _ in self.asked]


ROUTER_MODELS = "https://router.huggingface.co/v1/models"


@pytest.fixture
def router() -> Endpoint:
    return make_endpoint("hf")


async def reloaded(endpoint: Endpoint) -> Endpoint:
    return await Endpoint.objects.aget(pk=endpoint.pk)


async def test_list_of_the_router_is_read_and_stored(router: Endpoint) -> None:
    endpoints = FakeEndpoints()

    assert await sync.sync_due(read=endpoints)

    assert endpoints.urls == [ROUTER_MODELS]
    assert await Offer.objects.listed().filter(language_model__hub_id=LLAMA).acount() == 3
    assert (await reloaded(router)).synced_at is not None


async def test_endpoint_that_does_not_answer_keeps_its_old_list(router: Endpoint) -> None:
    await sync.sync_due(read=FakeEndpoints())
    before = await reloaded(router)

    done = await sync.sync_due(
        everything=True, read=FakeEndpoints({ROUTER_MODELS: provider_error("refused_connection")})
    )

    after = await reloaded(router)
    assert not done
    assert (after.synced_at, await Offer.objects.listed().acount()) == (before.synced_at, 4)
    assert "Nothing answers" in after.sync_error


@pytest.mark.parametrize("listed", [None, {}, "<html>", {"data": []}, {"error": "no"}])
async def test_empty_or_strange_answer_keeps_the_old_list(router: Endpoint, listed: object) -> None:
    await sync.sync_due(read=FakeEndpoints())

    done = await sync.sync_due(everything=True, read=FakeEndpoints({ROUTER_MODELS: listed}))

    assert (done, await Offer.objects.listed().acount()) == (False, 4)
    assert (await reloaded(router)).sync_error == sync.NOTHING_LISTED


async def test_one_failing_endpoint_does_not_keep_others_from_their_lists(router: Endpoint) -> None:
    await Endpoint.objects.acreate(slug="lab", label="Lab", kind="openai", base_url="http://gpu:1")
    read = FakeEndpoints({ROUTER_MODELS: provider_error("dns"), "http://gpu:1/v1/models": answer({"id": "lab/m"})})

    assert not await sync.sync_due(read=read)

    assert [offer.endpoint.slug async for offer in Offer.objects.listed().select_related("endpoint")] == ["lab"]


async def test_list_that_is_fresh_is_left_alone_unless_somebody_asks(router: Endpoint) -> None:
    endpoints = FakeEndpoints()

    for everything in (False, False, True):
        await sync.sync_due(everything=everything, read=endpoints)

    assert len(endpoints.asked) == 2


@pytest.mark.parametrize("changes", [{"synced_at": None}, {"sync_error": "It failed."}, {"synced_at": "old"}])
async def test_list_that_is_old_or_failed_is_read(router: Endpoint, changes: dict[str, Any]) -> None:
    old = timezone.now() - timedelta(hours=1)
    fresh = {"synced_at": timezone.now(), "sync_error": ""}
    changed = {name: old if value == "old" else value for name, value in changes.items()}
    await Endpoint.objects.filter(pk=router.pk).aupdate(**(fresh | changed))
    endpoints = FakeEndpoints()

    await sync.sync_due(read=endpoints)

    assert endpoints.urls == [ROUTER_MODELS]


async def test_local_and_disabled_endpoints_are_not_asked() -> None:
    await asyncio.to_thread(lambda: fill_local(make_local_endpoint()))
    await asyncio.to_thread(lambda: make_endpoint("off", enabled=False))
    endpoints = FakeEndpoints()

    await sync.sync_due(everything=True, read=endpoints)

    assert endpoints.asked == []


async def test_token_of_the_environment_goes_to_the_router_alone(router: Endpoint, settings: Settings) -> None:
    settings.HF_TOKEN = "hf_of_the_environment_ab12"
    await Endpoint.objects.acreate(slug="lab", label="Lab", kind="openai", base_url="http://gpu:1")
    endpoints = FakeEndpoints()

    await sync.sync_due(read=endpoints)

    sent = {url: credential and (credential.secret, credential.host) for url, credential in endpoints.asked}
    assert sent[ROUTER_MODELS] == ("hf_of_the_environment_ab12", "router.huggingface.co")
    assert sent["http://gpu:1/v1/models"] is None


async def test_without_a_token_the_list_is_asked_for_all_the_same(router: Endpoint) -> None:
    endpoints = FakeEndpoints()

    await sync.sync_due(read=endpoints)

    assert endpoints.asked == [(ROUTER_MODELS, None)]


def test_request_without_a_running_task_is_said_to_be_in_vain() -> None:
    assert sync.request_sync() is False


NEVER = 3600.0


async def asked_times(endpoints: FakeEndpoints, times: int) -> None:
    async with asyncio.timeout(5):
        while len(endpoints.asked) < times:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def syncing(endpoints: FakeEndpoints, pace: sync.Pace) -> AsyncIterator[None]:
    task = asyncio.create_task(sync.sync_forever(endpoints, pace))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_request_of_a_page_wakes_the_task_at_once(router: Endpoint) -> None:
    endpoints = FakeEndpoints()

    async with syncing(endpoints, sync.Pace(usual=NEVER, shortest=0.01)):
        await asked_times(endpoints, 1)
        assert await asyncio.to_thread(sync.request_sync)
        await asked_times(endpoints, 2)

    assert sync.request_sync() is False


async def test_many_requests_are_one(router: Endpoint) -> None:
    endpoints = FakeEndpoints()

    async with syncing(endpoints, sync.Pace(usual=NEVER, shortest=0.1)):
        await asked_times(endpoints, 1)
        for _ in range(20):
            sync.request_sync()
            await asyncio.sleep(0.002)
        await asked_times(endpoints, 2)
        await asyncio.sleep(0.2)

    assert len(endpoints.asked) == 2


async def test_failure_is_tried_again_before_the_hour_is_over(router: Endpoint) -> None:
    endpoints = FakeEndpoints({ROUTER_MODELS: provider_error("rate_limited")})

    async with syncing(endpoints, sync.Pace(usual=NEVER, first_retry=0.01, shortest=0.0)):
        await asked_times(endpoints, 3)


async def test_model_on_this_machine_is_listed_once_a_locked_database_is_free(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def list_local_model(name: str, context_length: int | None) -> None:
        calls.append(name)
        if len(calls) == 1:
            raise OperationalError("database is locked")

    settings.LOCAL_MODEL = True
    ready = local_model.Status(local_model.State.READY, "tiny")
    monkeypatch.setattr(local_model, "status", lambda: ready)
    monkeypatch.setattr(actions, "list_local_model", list_local_model)
    monkeypatch.setattr(sync, "LOCAL_MODEL_POLL_SECONDS", 0.0)

    following = asyncio.create_task(sync._follow_local_model())
    await eventually(lambda: calls == ["tiny", "tiny"])
    following.cancel()
