"""The cache of an installation with Redis: attempts to sign in count for all its processes together.

While Redis is away each process counts on its own: nobody is kept out, and nobody may guess without end.
"""

import logging
from collections.abc import Callable
from typing import Any

import orjson
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class JsonSerializer:
    """Plain values only: what somebody else puts into Redis must never be run, as a pickle would be."""

    def dumps(self, value: Any) -> bytes | int:
        # Redis counts up and down what is a bare number.
        return value if type(value) is int else orjson.dumps(value)

    def loads(self, stored: bytes) -> Any:
        return orjson.loads(stored)


class SharedCache(RedisCache):
    """Redis, and the memory of this process while Redis does not answer. Only what throttling needs falls back."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._own = LocMemCache("while-redis-is-away", {})

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        return bool(self._either("add", key, value, timeout=timeout, version=version))

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        return self._either("get", key, default, version=version)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> None:
        self._either("set", key, value, timeout=timeout, version=version)

    def delete(self, key: Any, version: Any = None) -> bool:
        return bool(self._either("delete", key, version=version))

    def clear(self) -> None:
        """Forget what is this installation's: others may keep theirs in the same Redis."""
        client = self._cache.get_client(write=True)
        for name in client.scan_iter(match=f"{self.key_prefix}:*"):
            client.delete(name)

    def _either(self, name: str, *args: Any, **kwargs: Any) -> Any:
        shared: Callable[..., Any] = getattr(super(), name)
        try:
            return shared(*args, **kwargs)
        except RedisError as error:
            logger.warning("Redis is away; this process counts on its own: %s", error)
            return getattr(self._own, name)(*args, **kwargs)
