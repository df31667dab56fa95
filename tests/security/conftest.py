"""Alice's chat with everything a chat has, and the cast that must not reach it."""

from dataclasses import dataclass

import pytest
from django.core.cache import cache

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations.models import Conversation, Lane, Message, Turn, text_parts
from chat.keys.models import PersonalKey
from chat.markdown import render
from chat.providers.requests import WireRequest
from chat.runs.models import Run
from tests.conversations.conftest import alice, charlie, chat, endpoint, engine, fake_provider, settled
from tests.factories import make_administrator, make_conversation, make_endpoint, make_personal_key

__all__ = ["alice", "charlie", "chat", "endpoint", "engine", "fake_provider", "settled"]

SAID = "alice-wrote-this-down"


@dataclass(frozen=True)
class Belongings:
    """One of each row that a person owns."""

    owner: User
    chat: Conversation
    lane: Lane
    question: Message
    answer: Message
    run: Run
    key: PersonalKey

    def argument(self, name: str) -> object:
        """What stands for the parameter ``name`` of an address."""
        named = {
            "conversation_id": self.chat.pk,
            "lane": self.lane.pk,
            "other": self.lane.pk,
            "message": self.answer.pk,
            "run": self.run.pk,
            "pk": self.key.pk,
        }
        return named[name]


def belongings(owner: User, said: str = SAID) -> Belongings:
    """A chat with an answered question, and a key for another endpoint."""
    endpoint = Endpoint.objects.get(slug="fake")
    router = Endpoint.objects.filter(slug="router").first() or make_endpoint("router")
    chat = make_conversation(owner, "fake/plain", "fake/echo", endpoint=endpoint, title=f"{said} title")
    lane = Lane.objects.filter(conversation=chat).order_by("pk")[0]
    Lane.objects.filter(pk=lane.pk).update(system_prompt=f"{said} system")
    turn = Turn.objects.create(conversation=chat, owner=owner, client_id=f"first of {owner}", row=0)
    question = Message.objects.create(lane=lane, turn=turn, role="user", parts=text_parts(f"{said} question"))
    text = f"{said} answer"
    run = Run.objects.create(
        topic=chat.topic,
        owner=owner,
        endpoint=endpoint,
        model_id="fake/plain",
        status=Run.Status.DONE,
        text=text,
        html=render(text),
        request=WireRequest("http://127.0.0.1:9/v1/chat/completions", {}, {"model": "m", "messages": []}).to_json(),
    )
    answer = Message.objects.create(lane=lane, turn=turn, parent=question, role="assistant", run=run)
    Lane.objects.filter(pk=lane.pk).update(head=answer)
    key = make_personal_key(owner, router, label=f"{said} key")
    return Belongings(owner, chat, lane, question, answer, run, key)


@pytest.fixture(autouse=True)
def fresh_rates() -> None:
    """What others tried before does not count."""
    cache.clear()


@pytest.fixture
def hers(alice: User, endpoint: Endpoint) -> Belongings:
    return belongings(alice)


@pytest.fixture
def his(charlie: User, endpoint: Endpoint) -> Belongings:
    return belongings(charlie, "charlie-wrote-that")


@pytest.fixture
def ada(db: None) -> User:
    return make_administrator("ada")
