"""How code on the event loop reaches the ORM: one named call at a time, on a database thread, with fresh connections.

Plain async ORM in a long-lived task keeps a connection that the server may have dropped long ago; each call here
starts and ends like a request does (Channels documentation, "Database Access").
"""

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from channels.db import database_sync_to_async
from django.db import InterfaceError, OperationalError

from chat import metrics

# What a database raises that is away, or locked, for now: the same call may well succeed later.
AWAY = (InterfaceError, OperationalError)
P = ParamSpec("P")
T = TypeVar("T")


async def in_database(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``call`` on the database thread and return what it returns."""
    asked = time.perf_counter()

    def timed() -> T:
        metrics.DATABASE_WAIT_SECONDS.observe(time.perf_counter() - asked)
        return call(*args, **kwargs)

    return cast(T, await database_sync_to_async(timed)())
