"""Writes one answer: waits its turn, claims the run, streams the provider's events into the draft, settles the end.

The one place that decides about retries. It never sends a request again once anything of an answer has come.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from itertools import chain, repeat
from typing import Any, TypeVar, cast

from chat import metrics
from chat.catalogue.models import Endpoint
from chat.database import AWAY, in_database, in_database_later
from chat.keys.errors import KeysError
from chat.providers.client import stream_chat
from chat.providers.errors import ProviderError, provider_error
from chat.providers.requests import chat_url
from chat.runs import failover
from chat.runs.actions import claim_run, settle_run
from chat.runs.draft import Draft
from chat.runs.models import Run
from chat.runs.outcome import INTERRUPTED, Failure, outcome_of

# The longest that a provider's own "try again later" is obeyed before the person decides instead.
PATIENCE_SECONDS = 30.0
# However little it asks for, so often is enough.
MOST_TRIES = 5
# A database that is away is waited for, the last pause again and again: the draft has the text meanwhile.
RETRY_PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0)
# What is said meanwhile where waiting helps.
WAITING_HELPS = {
    "rate_limited": "The provider is busy and asks to wait {seconds} s.",
    "loading": "The model is loading; it should be ready in about {seconds} s.",
}
logger = logging.getLogger(__name__)
T = TypeVar("T")
Visit = Callable[..., Awaitable[Any]]


class NotOurs(Exception):
    """The run is no longer there to be written: stopped, or taken by another process."""


@dataclass(frozen=True)
class Assignment:
    """What to send where, and with which key; opened as late as possible and kept nowhere."""

    run: Run
    serving: failover.Serving
    endpoint: Endpoint
    process_id: int


Ready = Callable[[], Awaitable[str]]


async def execute(
    run: Run, draft: Draft, process_id: int, ready: Ready, release: Callable[[Draft], Awaitable[None]]
) -> None:
    """Write ``run`` into ``draft`` to its end. ``ready`` waits for the model on this machine and gives its base URL;
    ``release`` takes the draft out of the journal before its run is stored."""
    status, failure = Run.Status.DONE, None
    try:
        await _write(run, draft, process_id, ready)
    except NotOurs:
        status = Run.Status.STOPPED
    except ProviderError as error:
        status, failure = Run.Status.FAILED, Failure.from_error(error)
    except KeysError as error:
        status, failure = Run.Status.FAILED, Failure("no_key", str(error), remedies=("other_key",))
    except asyncio.CancelledError:
        status, failure = _cancelled(draft)
    except Exception:
        status = Run.Status.FAILED
        failure = Failure("internal", "Something went wrong in the playground itself.", remedies=("retry",))
        logger.exception("Run %d failed in the playground itself.", draft.run_id)
    draft.end()
    await release(draft)
    # Rendering a long answer happens on the database thread too, away from the event loop.
    await _patiently(_store, draft, status, failure, process_id, visit=in_database_later)
    draft.wake()


def _cancelled(draft: Draft) -> tuple[Run.Status, Failure | None]:
    if draft.stopping:
        return Run.Status.STOPPED, None
    return Run.Status.INTERRUPTED, INTERRUPTED


async def _write(run: Run, draft: Draft, process_id: int, ready: Ready) -> None:
    endpoint = run.endpoint
    if endpoint is None:
        raise provider_error("bad_address")
    # One that waited behind another answer was queued long ago.
    if not endpoint.enabled:
        raise provider_error("switched_off")
    if not endpoint.is_local:
        await _stream_patiently(draft, await _patiently(_take, run, endpoint, process_id))
        return
    # It may take long to be there, and what was stopped meanwhile, or before, need not wait for it.
    if not await _patiently(_is_queued, run.pk):
        raise NotOurs
    base_url = await ready()
    taken = await _patiently(_take, run, endpoint, process_id)
    wire = replace(taken.serving.wire, url=chat_url(base_url))
    await _stream_patiently(draft, replace(taken, serving=replace(taken.serving, wire=wire)))


async def _stream_patiently(draft: Draft, assignment: Assignment) -> None:
    waited, tries = 0.0, 0
    while True:
        tries += 1
        draft.start()
        try:
            sent, reach = assignment.serving, assignment.endpoint.reach
            async with stream_chat(sent.wire, sent.credential, reach=reach) as events:
                async for event in events:
                    draft.apply(event)
                    if draft.overflowing:
                        raise provider_error("too_long_line")
            return
        except ProviderError as error:
            metrics.UPSTREAM_ERRORS.labels(assignment.endpoint.slug, error.kind).inc()
            # Once anything of an answer came, another key would pay for it a second time.
            if not draft.has_output and (other := await _patiently(_give_to_next_key, assignment, error)):
                assignment, tries = other, 0
                continue
            # What is said is obeyed; how long a model takes to load is only guessed.
            pause = error.retry_after if error.retry_after is not None else error.estimated_time
            if (
                draft.has_output
                or error.kind not in WAITING_HELPS
                or pause is None
                or waited + pause > PATIENCE_SECONDS
                or tries == MOST_TRIES
            ):
                raise
            draft.say(WAITING_HELPS[error.kind].format(seconds=max(1, round(pause))))
            waited += pause
            await asyncio.sleep(pause)


def _is_queued(run_id: int) -> bool:
    return Run.objects.filter(pk=run_id, status=Run.Status.QUEUED).exists()


def _take(run: Run, endpoint: Endpoint, process_id: int) -> Assignment:
    """Make the run this process's, once its key is known to open."""
    serving = failover.first_key(run, endpoint)
    if not claim_run(run.pk, process_id) or not failover.enter(run.pk, run.owner_id, serving, process_id):
        raise NotOurs
    return Assignment(run, serving, endpoint, process_id)


def _give_to_next_key(assignment: Assignment, error: ProviderError) -> Assignment | None:
    """Have another key serve the run, where the refusal was about the key and there is another."""
    run, endpoint = assignment.run, assignment.endpoint
    serving = failover.after_refusal(run, endpoint, assignment.serving, error)
    if serving is None:
        return None
    if not failover.enter(run.pk, run.owner_id, serving, assignment.process_id):
        raise NotOurs
    return replace(assignment, serving=serving)


async def _patiently(call: Callable[..., T], *args: object, visit: Visit = in_database) -> T:
    """What a call to the database gives, however long it is away."""
    for pause in chain(RETRY_PAUSES, repeat(RETRY_PAUSES[-1])):
        try:
            return cast(T, await visit(call, *args))
        except AWAY as error:
            logger.warning("The database is away; trying again in %s s: %s", pause, error)
            await asyncio.sleep(pause)
    raise AssertionError("The pauses never end.")


def _store(draft: Draft, status: Run.Status, failure: Failure | None, process_id: int) -> None:
    settle_run(draft.run_id, outcome_of(draft, status, failure), process_id)
