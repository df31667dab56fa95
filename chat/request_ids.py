"""The id of the request that the code at hand works for: given by a proxy, or made here.

It goes back in ``X-Request-ID``, into the log, and with a run into the database. A socket has the id of the request
that opened it. Put around the whole application in ``playground.asgi``.
"""

import re
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

HEADER = b"x-request-id"
MAX_LENGTH = 64
# What comes from outside stands in logs: nothing that could end a line, a string or a column.
_USABLE = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The id of the request at hand; "" where there is none, as in the engine's own tasks."""
    return _current.get()


class RequestIds:
    """ASGI middleware: takes over a usable ``X-Request-ID`` or makes one, and sends it back with the answer."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request_id = _given(scope["headers"]) or uuid4().hex
        _current.set(request_id)

        async def send_with_id(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), (HEADER, request_id.encode("ascii"))]}
            await send(message)

        await self.application(scope, receive, send_with_id)


def _given(headers: Any) -> str:
    values = [value for name, value in headers if name == HEADER]
    return values[0].decode("ascii") if len(values) == 1 and _USABLE.fullmatch(values[0]) else ""
