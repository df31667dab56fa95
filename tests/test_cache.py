"""Attempts count for all processes together; while Redis is away, for each of them."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from playground.cache import JsonSerializer, SharedCache
from tests.redis_process import RedisProcess

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisProcess]:
    with RedisProcess() as server:
        yield server


@pytest.fixture
def open_cache(redis: RedisProcess) -> Iterator[Callable[[], SharedCache]]:
    """The cache of one more process of an installation."""
    opened: list[SharedCache] = []
    options = {"serializer": "playground.cache.JsonSerializer", "socket_timeout": 1, "socket_connect_timeout": 1}
    prefix = uuid4().hex

    def open_one() -> SharedCache:
        opened.append(SharedCache(redis.url, {"KEY_PREFIX": prefix, "OPTIONS": options}))
        return opened[-1]

    yield open_one
    for cache in opened:
        cache._cache.get_client().connection_pool.disconnect()


def test_what_one_process_counts_another_sees(open_cache: Callable[[], SharedCache]) -> None:
    one, other = open_cache(), open_cache()

    one.set("attempts", [3.5, 2.25], 60)

    assert other.get("attempts") == [3.5, 2.25]
    assert other.add("lock", True, 10) and not one.add("lock", True, 10)


def test_clearing_leaves_alone_what_others_keep_in_the_same_redis(open_cache: Callable[[], SharedCache]) -> None:
    ours, theirs = open_cache(), open_cache()
    theirs.key_prefix = "theirs"
    ours.set("attempts", 1, 60)
    theirs.set("attempts", 2, 60)

    ours.clear()

    assert (ours.get("attempts"), theirs.get("attempts")) == (None, 2)


def test_each_process_counts_on_its_own_while_redis_is_away(
    redis: RedisProcess, open_cache: Callable[[], SharedCache]
) -> None:
    cache = open_cache()
    redis.stop()

    cache.set("attempts", [1.0], 60)
    counted = cache.get("attempts")
    locked = [cache.add("lock", True, 10), cache.add("lock", True, 10), cache.delete("lock")]
    redis.start()

    assert counted == [1.0]
    assert locked == [True, False, True]
    assert cache.get("attempts") is None


def test_a_stored_value_is_never_run() -> None:
    with pytest.raises(ValueError):
        JsonSerializer().loads(b"cos\nsystem\n(S'true'\ntR.")
