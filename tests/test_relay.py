"""What processes tell each other through Redis: what arrives, what is noticed when it does not, what is secret."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.asyncio import Redis

from chat import relay
from chat.relay import Numbers, Relay
from tests.redis_process import RedisProcess
from tests.waiting import eventually

Start = Callable[..., Awaitable[Relay]]


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisProcess]:
    with RedisProcess() as server:
        yield server


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Any]]:
    """All words of the kind "test" that any relay of this test hears, with who told them."""
    words: list[tuple[int, Any]] = []
    monkeypatch.setattr(relay, "_listeners", {"test": lambda sender, what: words.append((sender, what))})
    return words


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of whom something was missed."""
    speakers: list[int] = []
    monkeypatch.setattr(relay, "_on_loss", [speakers.append])
    return speakers


@pytest.fixture
async def start(
    redis: RedisProcess, heard: list[tuple[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Start]:
    """Start the relay of a process; returns when it hears itself."""
    monkeypatch.setattr(relay, "_collectors", [])
    monkeypatch.setattr(relay, "_on_change", [])
    tasks = []

    async def start(prefix: str = "ours") -> Relay:
        keys = [f"the key of {prefix}"]
        layer = RedisPubSubChannelLayer(hosts=[redis.url], prefix=prefix, symmetric_encryption_keys=keys)
        started = Relay(layer)
        tasks.append((started, asyncio.create_task(started.live())))
        await eventually(lambda: started.is_up)
        return started

    yield start
    for started, _ in tasks:
        started.end()
    done, late = await asyncio.wait([task for _, task in tasks], timeout=5)
    assert not late


def test_a_gap_is_told_and_what_is_late_or_doubled_is_no_news() -> None:
    numbers = Numbers(4)

    assert [numbers.take(number) for number in (5, 5, 8, 6, 9)] == [
        (True, False),
        (False, False),
        (True, True),
        (False, False),
        (True, False),
    ]


@pytest.mark.redis
async def test_what_one_tells_the_others_hear(start: Start, heard: list[tuple[int, Any]]) -> None:
    one, _ = await start(), await start()

    one.say(("test", ["a word", 7, None]))

    await eventually(lambda: heard == [(one.id, ["a word", 7, None])])


@pytest.mark.redis
async def test_what_is_for_one_process_no_other_hears(
    start: Start, heard: list[tuple[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, third = await start(), await start(), await start()
    mail = [(other.id, ("test", "for the other"))]
    monkeypatch.setattr(relay, "_collectors", [lambda: [mail.pop()] if mail else []])

    one.wake()
    await eventually(lambda: bool(heard))
    third.say(("test", "for all"))

    await eventually(lambda: len(heard) == 3)
    assert [what for _, what in heard].count("for the other") == 1


@pytest.mark.redis
async def test_other_installations_on_the_same_server_hear_nothing(start: Start, heard: list[tuple[int, Any]]) -> None:
    one, _, _ = await start("ours"), await start("ours"), await start("theirs")

    one.say(("test", "between us"))

    await eventually(lambda: bool(heard))
    await asyncio.sleep(0.2)
    assert len(heard) == 1


@pytest.mark.redis
async def test_nothing_can_be_read_on_the_server(
    start: Start, redis: RedisProcess, heard: list[tuple[int, Any]]
) -> None:
    one, _ = await start(), await start()
    client = Redis.from_url(redis.url)
    async with client.pubsub() as passing:
        await passing.psubscribe("*")
        one.say(("test", "a prompt that nobody else may read"))
        await eventually(lambda: bool(heard))
        seen = [await passing.get_message(timeout=1) for _ in range(5)]
    await client.aclose()
    data = [message["data"] for message in seen if message and message["type"] == "pmessage"]
    assert data and not any(b"prompt" in said for said in data)


@pytest.mark.redis
async def test_a_cut_connection_is_made_anew_and_what_was_missed_is_known(
    start: Start, redis: RedisProcess, heard: list[tuple[int, Any]], lost: list[int]
) -> None:
    one, _ = await start(), await start()
    client = Redis.from_url(redis.url)

    async def is_missed() -> bool:
        await client.client_kill_filter(_type="pubsub")
        one.say(("test", "into the gap"))
        await asyncio.sleep(2)
        return one.id in lost

    await eventually(is_missed)
    await client.aclose()

    async def is_heard() -> bool:
        one.say(("test", "afterwards"))
        await asyncio.sleep(0.1)
        return (one.id, "afterwards") in heard

    await eventually(is_heard)


@pytest.mark.redis
async def test_a_server_that_is_away_is_waited_for(
    start: Start, redis: RedisProcess, heard: list[tuple[int, Any]], lost: list[int]
) -> None:
    one, other = await start(), await start()

    redis.stop()
    one.say(("test", "to nobody"))
    await eventually(lambda: one.is_away and other.is_away)
    redis.start()
    await eventually(lambda: not one.is_away and not other.is_away)

    await eventually(lambda: one.id in lost)
    one.say(("test", "again"))
    await eventually(lambda: (one.id, "again") in heard)


@pytest.mark.redis
async def test_a_server_that_does_not_answer_counts_as_away(start: Start, redis: RedisProcess) -> None:
    one = await start()

    redis.process.send_signal(signal.SIGSTOP)
    await eventually(lambda: one.is_away, within=20)
    redis.process.send_signal(signal.SIGCONT)

    await eventually(lambda: one.is_up and not one.is_away)


@pytest.mark.redis
async def test_a_moment_without_the_server_is_not_worth_a_word(
    start: Start, redis: RedisProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await start()
    told: list[bool] = []
    monkeypatch.setattr(relay, "_on_change", [lambda: told.append(one.is_away)])

    redis.stop()
    redis.start()
    await eventually(lambda: not one.is_up)
    await eventually(lambda: one.is_up)

    assert told == []


@pytest.mark.redis
async def test_nonsense_on_the_channel_does_not_end_the_hearing(
    start: Start, redis: RedisProcess, heard: list[tuple[int, Any]]
) -> None:
    one, _ = await start(), await start()
    client = Redis.from_url(redis.url)

    assert await client.publish("ours__group__all", b"\x93nonsense") == 2
    await asyncio.sleep(0.1)
    await eventually(lambda: one.is_up)

    async def heard_again() -> bool:
        one.say(("test", "still here"))
        await asyncio.sleep(0.1)
        return bool(heard)

    await eventually(heard_again)
    await client.aclose()


@pytest.mark.redis
async def test_a_listener_that_trips_keeps_nobody_from_hearing(
    start: Start, heard: list[tuple[int, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def trip(sender: int, what: Any) -> None:
        raise ValueError("odd")

    monkeypatch.setitem(relay._listeners, "odd", trip)
    one, _ = await start(), await start()

    for word in (("odd", 1), ("of a newer version", 2), ("test", 3)):
        one.say(word)

    await eventually(lambda: heard == [(one.id, 3)])


@pytest.mark.redis
async def test_too_many_words_lose_the_oldest_and_that_is_known(
    start: Start, heard: list[tuple[int, Any]], lost: list[int]
) -> None:
    one, _ = await start(), await start()

    for number in range(relay.MOST_WORDS + 1):
        one.say(("test", number))

    await eventually(lambda: len(heard) == relay.MOST_WORDS)
    assert heard[0] == (one.id, 1)
    assert one.id in lost


@pytest.mark.redis
async def test_what_waits_at_the_end_is_told(start: Start, heard: list[tuple[int, Any]]) -> None:
    one, _ = await start(), await start()

    one.say(("test", "goodbye"))
    one.end()

    await eventually(lambda: heard == [(one.id, "goodbye")])
