"""Ids of requests: taken over where they are usable, made where not, and sent back."""

from typing import Any

import pytest

from chat import request_ids
from chat.request_ids import RequestIds


async def ask(*values: bytes) -> tuple[str, list[bytes]]:
    """What the application sees as its id, and what the answer's headers say."""
    seen = ""
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal seen
        seen = request_ids.current()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-other", b"1")]})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> Any:
        raise AssertionError("Nothing is read.")

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"x-request-id", value) for value in values]
    await RequestIds(application)({"type": "http", "headers": headers}, receive, send)
    assert (b"x-other", b"1") in sent[0]["headers"]
    return seen, [value for name, value in sent[0]["headers"] if name == b"x-request-id"]


async def test_a_usable_id_is_taken_over_and_sent_back() -> None:
    assert await ask(b"Proxy-1.a_B") == ("Proxy-1.a_B", [b"Proxy-1.a_B"])


@pytest.mark.parametrize(
    "values",
    [(), (b"",), (b"a b",), (b"a\nb",), (b'a"b',), (b"a=b",), ("é".encode(),), (b"x" * 65,), (b"one", b"two")],
)
async def test_what_is_not_usable_is_replaced(values: tuple[bytes, ...]) -> None:
    seen, [returned] = await ask(*values)

    assert seen.encode() == returned and returned not in values
    assert len(seen) == 32 and seen.isalnum()


async def test_each_request_has_its_own() -> None:
    assert (await ask())[0] != (await ask())[0]


def test_outside_of_a_request_there_is_none() -> None:
    assert request_ids.current() == ""
