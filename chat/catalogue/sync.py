"""Keeps the lists of models fresh: asks every endpoint once an hour, at once when somebody asks, later after a failure.

It owns when to ask and what a failure means: the old list stays, with its date. Reading an answer is ``facts``'
part, storing it ``actions``'. ``serve`` runs ``run_forever``; pages only call ``request_sync``.
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from django.conf import settings
from django.db import Error
from django.db.models import Q
from django.utils import timezone

from chat.catalogue import actions
from chat.catalogue.facts import parse_models
from chat.catalogue.models import Endpoint
from chat.database import AWAY, in_database
from chat.local import supervisor as local_model
from chat.providers.client import get_json
from chat.providers.credential import Credential
from chat.providers.errors import ProviderError
from chat.providers.reach import Reach
from chat.providers.requests import models_url

INTERVAL = timedelta(hours=1)
LOCAL_MODEL_POLL_SECONDS = 0.5
NOTHING_LISTED = "It answered, but listed no models."


class Read(Protocol):
    """How a document is fetched; ``get_json``, but for tests."""

    def __call__(self, url: str, credential: Credential | None = None, *, reach: Reach) -> Awaitable[object]: ...


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pace:
    """Seconds between two rounds: usually; after a failure, doubling from there; and however often people ask."""

    usual: float = INTERVAL.total_seconds()
    first_retry: float = 15.0
    shortest: float = 10.0


@dataclass(frozen=True)
class _Listener:
    """The running task's ear: an event, and the loop in which it may be set."""

    loop: asyncio.AbstractEventLoop
    wanted: asyncio.Event


_listener: _Listener | None = None


def request_sync() -> bool:
    """Ask the running task to read all lists soon; False where this process has none. Safe from any thread."""
    listener = _listener
    if listener is None or listener.loop.is_closed():
        return False
    listener.loop.call_soon_threadsafe(listener.wanted.set)
    return True


async def run_forever() -> None:
    """Make the built-in endpoints, then keep all lists fresh until cancelled."""
    await in_database(actions.ensure_endpoints)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_follow_local_model())
        tasks.create_task(sync_forever())


async def sync_due(*, everything: bool = False, read: Read = get_json) -> bool:
    """Read the lists that are an hour old, or all; True if every endpoint answered."""
    endpoints = await in_database(_endpoints, everything)
    return all(await asyncio.gather(*(sync_endpoint(endpoint, read) for endpoint in endpoints)))


async def sync_endpoint(endpoint: Endpoint, read: Read = get_json) -> bool:
    """Read one endpoint's list and store it; after a failure keep the old one with the reason. True if it worked."""
    try:
        answer = await read(models_url(endpoint.base_url), environment_credential(endpoint), reach=endpoint.reach)
    except ProviderError as error:
        logger.info("The models of %s could not be listed: %s", endpoint.slug, error.kind)
        await in_database(actions.record_sync_error, endpoint, error.sentence)
        return False
    return await in_database(_store, endpoint, answer)


def environment_credential(endpoint: Endpoint) -> Credential | None:
    """The token from the environment, for the router alone: its list is public, but with a token it is limited less."""
    token = settings.HF_TOKEN
    return Credential(token, endpoint.host, "HF_TOKEN", token[-4:]) if token and endpoint.is_router else None


async def sync_forever(read: Read = get_json, pace: Pace = Pace()) -> None:
    """Read the lists that are due, wait, and again; ``request_sync`` ends the wait and makes all of them due."""
    global _listener
    wanted = asyncio.Event()
    _listener = _Listener(asyncio.get_running_loop(), wanted)
    retry, asked = pace.first_retry, False
    try:
        while True:
            wanted.clear()
            if await _try_sync(asked, read):
                retry, pause = pace.first_retry, pace.usual
            else:
                retry, pause = min(2 * retry, pace.usual), retry
            await asyncio.sleep(pace.shortest)
            asked = await _asked_within(wanted, pause)
    finally:
        _listener = None


async def _try_sync(everything: bool, read: Read) -> bool:
    """A database that is busy or away now may be there at the next try; the task must outlive it."""
    try:
        return await sync_due(everything=everything, read=read)
    except Error:
        logger.exception("The lists of models could not be stored.")
        return False


async def _asked_within(wanted: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(wanted.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _follow_local_model() -> None:
    """List the model on this machine whenever it has started, with what it then says of itself."""
    known = None
    while settings.LOCAL_MODEL:
        status = local_model.status()
        if status.state is local_model.State.READY and status != known:
            try:
                await in_database(actions.list_local_model, status.model, status.context_length)
                known = status
            except AWAY as error:
                logger.warning("The model on this machine could not be listed yet: %s", error)
        await asyncio.sleep(LOCAL_MODEL_POLL_SECONDS)


def _endpoints(everything: bool) -> list[Endpoint]:
    """Those to ask now; this machine's model is not asked, its supervisor knows it."""
    endpoints = Endpoint.objects.filter(enabled=True).exclude(kind=Endpoint.Kind.LOCAL)
    if not everything:
        old = timezone.now() - INTERVAL + timedelta(minutes=1)
        endpoints = endpoints.filter(Q(synced_at__isnull=True) | Q(synced_at__lt=old) | ~Q(sync_error=""))
    return list(endpoints)


def _store(endpoint: Endpoint, answer: object) -> bool:
    facts = parse_models(answer)
    if not facts:
        actions.record_sync_error(endpoint, NOTHING_LISTED)
        return False
    actions.store_offers(endpoint, facts)
    return True
