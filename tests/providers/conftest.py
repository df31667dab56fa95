"""Shared by the tests of the wire: the fake provider, a way to ask it, and token events in short."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from chat.providers.client import close_client, stream_chat
from chat.providers.credential import Credential
from chat.providers.errors import ProviderError
from chat.providers.events import ReasoningDelta, TextDelta, TextWasReasoning, TokenEvent
from chat.providers.payload import wire_request
from chat.providers.reach import Reach
from chat.providers.requests import ChatRequest, EndpointKind, Timeouts, WireRequest
from tests.fake_provider import FakeProvider, fake_provider

__all__ = ["Answer", "Ask", "fake_provider", "fold", "question"]

QUICK = Timeouts(connect=1, first_token=0.3, between_tokens=0.15)


@dataclass
class Answer:
    """All that came of a request."""

    events: list[TokenEvent] = field(default_factory=list)
    error: ProviderError | None = None

    @property
    def text(self) -> str:
        return fold(self.events)[0]

    @property
    def reasoning(self) -> str:
        return fold(self.events)[1]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


Ask = Callable[..., Coroutine[Any, Any, Answer]]


def fold(events: Iterable[TokenEvent]) -> tuple[str, str]:
    """Text and reasoning, as a draft would have them."""
    text = reasoning = ""
    for event in events:
        match event:
            case TextDelta():
                text += event.text
            case ReasoningDelta():
                reasoning += event.text
            case TextWasReasoning():
                text, reasoning = "", reasoning + text
    return text, reasoning


def question(base_url: str, scenario: str = "plain", timeouts: Timeouts = QUICK, **fields: Any) -> WireRequest:
    """A request that plays a scenario of the fake provider."""
    messages = ({"role": "user", "content": "How is the sea?"},)
    request = ChatRequest(EndpointKind.ROUTER, base_url, f"fake/{scenario}", messages, timeouts=timeouts, **fields)  # type: ignore[arg-type]
    return wire_request(request)


async def collect(wire: WireRequest, credential: Credential | None = None, reach: Reach = Reach.PRIVATE) -> Answer:
    answer = Answer()
    try:
        async with asyncio.timeout(30), stream_chat(wire, credential, reach=reach) as events:
            async for event in events:
                answer.events.append(event)
    except ProviderError as error:
        answer.error = error
    return answer


@pytest.fixture
async def closing_client() -> AsyncIterator[None]:
    """For tests that reach other servers than the fake provider."""
    yield
    await close_client()


@pytest.fixture
def ask(fake_provider: FakeProvider) -> Ask:
    """Ask the fake provider to play a scenario; gives all that came, error included."""

    async def ask_for(scenario: str, credential: Credential | None = None, **fields: Any) -> Answer:
        return await collect(question(fake_provider.base_url, scenario, **fields), credential)

    return ask_for


@pytest.fixture
def key(fake_provider: FakeProvider) -> Credential:
    """A key for the fake provider."""
    return Credential("hf_goodSecretOfTheTeam1234", f"127.0.0.1:{fake_provider.port}", "Team key", "1234")
