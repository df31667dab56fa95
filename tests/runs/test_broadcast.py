"""Announcements reach who follows a topic; where some of other processes were lost, everybody is brought up to date."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chat import relay
from chat.runs import broadcast
from chat.runs.broadcast import ChatListChanged, Event, LanesChanged, RelayChanged, RunEnded, TurnAdded
from tests.waiting import eventually


class Follower:
    def __init__(self) -> None:
        self.heard: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.heard.append(event)


@pytest.fixture
async def followers() -> AsyncIterator[list[Follower]]:
    """Three, each with a topic of its own and one that all share."""
    made = [Follower() for _ in range(3)]
    for number, follower in enumerate(made):
        broadcast.subscribe(f"own.{number}", follower)
        broadcast.subscribe("shared", follower)
    yield made
    for number, follower in enumerate(made):
        broadcast.unsubscribe(f"own.{number}", follower)
        broadcast.unsubscribe("shared", follower)


async def test_an_event_reaches_its_topic_alone(followers: list[Follower]) -> None:
    await asyncio.to_thread(broadcast.publish, "own.1", TurnAdded(7))

    await eventually(lambda: bool(followers[1].heard))
    assert [follower.heard for follower in followers] == [[], [TurnAdded(7)], []]


@pytest.mark.parametrize("event", [TurnAdded(7), RunEnded(8), LanesChanged(), ChatListChanged()])
async def test_what_another_process_tells_is_the_event_that_it_published(
    event: Event, followers: list[Follower], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[object]] = []
    monkeypatch.setattr(relay, "tell", lambda kind, words: told.append(words))
    broadcast.publish("nobody here", event)

    broadcast._hear(1, ["own.0", *told[0][1:]])

    await eventually(lambda: followers[0].heard == [event])


async def test_a_loss_brings_every_page_up_to_date_once(
    followers: list[Follower], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "LOSS_SECONDS", 0.05)

    for sender in (1, 2, 3):
        broadcast._plan_to_make_good(sender)
    await eventually(lambda: all(follower.heard for follower in followers))
    await asyncio.sleep(0.1)

    assert [follower.heard for follower in followers] == 3 * [[LanesChanged(), ChatListChanged()]]


async def test_everybody_hears_once_that_the_relay_changed(followers: list[Follower]) -> None:
    broadcast._tell_of_change()

    await eventually(lambda: all(follower.heard for follower in followers))
    assert [follower.heard for follower in followers] == 3 * [[RelayChanged()]]
