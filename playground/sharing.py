"""What several processes, or several machines, share in Redis. Called by the settings only.

Others who use that server hear nothing of this installation: its names are its own, and what it says is encrypted, for
it holds what people write.
"""

import hashlib
from typing import Any


def names(secret_key: str) -> str:
    """What everything of this installation begins with there."""
    return f"playground.{derived_secret(secret_key, 'redis names')}."


def channel_layers(address: str, secret_key: str) -> dict[str, Any]:
    return {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "hosts": [{"address": address, "socket_connect_timeout": 2}],
                "prefix": names(secret_key),
                "symmetric_encryption_keys": [derived_secret(secret_key, "channel layer")],
            },
        }
    }


def caches(address: str, secret_key: str) -> dict[str, Any]:
    return {
        "default": {
            "BACKEND": "playground.cache.SharedCache",
            "LOCATION": address,
            "KEY_PREFIX": names(secret_key),
            "OPTIONS": {
                "serializer": "playground.cache.JsonSerializer",
                "socket_connect_timeout": 1,
                "socket_timeout": 1,
            },
        }
    }


def derived_secret(secret_key: str, purpose: str) -> str:
    """Return 32 hexadecimal digits that only this installation knows, other ones for each purpose."""
    return hashlib.blake2b(
        purpose.encode(), key=hashlib.sha256(secret_key.encode()).digest(), digest_size=16
    ).hexdigest()
