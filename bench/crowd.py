"""Fills a database as years of use would: 10,000 chats, 200,000 messages, most of them one person's.

Runs inside the playground's environment (``manage.py shell``), with rows like those that the product writes.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from bench.seed import endpoint_at, person, say, session_of
from bench.texts import WORDS, text_of
from chat.accounts.models import User
from chat.catalogue.models import Endpoint, LanguageModel, Offer
from chat.conversations.models import Conversation, Lane, Message, Turn, text_parts
from chat.markdown import RENDERER_VERSION, render
from chat.runs.models import Run

CHATS = 9_998
TURNS = 10
LONG_TURNS = 1_000
WIDE_LANES, WIDE_TURNS = 6, 30
MODELS, PROVIDERS = 120, 4
BATCH = 2_000
NOW = timezone.now()
# A hundred answers shared by all rows: rendering is not what is measured here.
ANSWERS = [(text, str(render(text))) for text in (text_of("mixed", 500 + 10 * number) for number in range(100))]


def fill(base_url: str) -> None:
    """Prints the session of the person who owns nearly all, and the ids of three of the chats."""
    endpoint = endpoint_at(base_url)
    with transaction.atomic():
        _catalogue(endpoint)
        owner, other = person("bench"), person("neighbour")
        for start in range(0, CHATS, 500):
            size = min(500, CHATS - start)
            shapes = [(other if (start + place) % 20 == 0 else owner, 1, TURNS) for place in range(size)]
            made = _chats(endpoint, shapes)
        [long], [wide] = _chats(endpoint, [(owner, 1, LONG_TURNS)]), _chats(endpoint, [(owner, WIDE_LANES, WIDE_TURNS)])
    usual = next(chat for chat in made if chat.owner_id == owner.pk)
    say(
        {
            "session": session_of(owner),
            "user": owner.username,
            "usual": str(usual.pk),
            "long": str(long.pk),
            "wide": str(wide.pk),
        }
    )


def _catalogue(endpoint: Endpoint) -> None:
    models = LanguageModel.objects.bulk_create(
        LanguageModel(hub_id=f"org-{number % 11}/model-{number}-instruct") for number in range(MODELS)
    )
    Offer.objects.bulk_create(
        Offer(
            endpoint=endpoint,
            language_model=model,
            provider=f"provider-{place}",
            context_length=131_072,
            input_price=Decimal("0.10"),
            output_price=Decimal("0.30"),
            tokens_per_second=100.0 + place,
        )
        for model in models
        for place in range(PROVIDERS)
    )


def _chats(endpoint: Endpoint, shapes: list[tuple[User, int, int]]) -> list[Conversation]:
    """One chat for each (owner, lanes, turns), with everything in it."""
    made = [_chat(owner) for owner, _, _ in shapes]
    _store(Conversation, made)
    lanes = [
        Lane(conversation=chat, position=place, endpoint=endpoint, model_id=f"org-1/model-{place}-instruct")
        for chat, (_, count, _) in zip(made, shapes, strict=True)
        for place in range(count)
    ]
    _store(Lane, lanes)
    turns = [
        Turn(conversation=chat, owner=owner, client_id=uuid4().hex, row=row)
        for chat, (owner, _, count) in zip(made, shapes, strict=True)
        for row in range(count)
    ]
    _store(Turn, turns)
    _talk(lanes, turns)
    return made


def _talk(lanes: list[Lane], turns: list[Turn]) -> None:
    """A question and an answer in each lane for each turn of its chat, every one below the one before."""
    rows: dict[Any, list[Turn]] = {}
    for turn in turns:
        rows.setdefault(turn.conversation_id, []).append(turn)
    pairs = [(lane, turn) for lane in lanes for turn in rows[lane.conversation_id]]
    runs = [_run(lane, turn, *ANSWERS[(lane.pk + turn.row) % len(ANSWERS)]) for lane, turn in pairs]
    _store(Run, runs)
    messages = [
        message
        for (lane, turn), run in zip(pairs, runs, strict=True)
        for message in _question_and_answer(lane, turn, run)
    ]
    # Ids are known before the rows are stored, so that each can name its parent.
    first = (Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
    for place, message in enumerate(messages):
        message.pk = first + place
        if place and messages[place - 1].lane_id == message.lane_id:
            message.parent_id = message.pk - 1
        message.lane.head_id = message.pk
    _store(Message, messages)
    Lane.objects.bulk_update(lanes, ["head"], batch_size=400)


def _chat(owner: User) -> Conversation:
    words = random.sample(WORDS, 5)
    age = timedelta(minutes=random.randrange(60 * 24 * 400))
    conversation = Conversation(owner=owner, title=" ".join(words).capitalize(), updated_at=NOW - age)
    conversation.topic = f"conversation.{conversation.pk.hex}"
    return conversation


def _question_and_answer(lane: Lane, turn: Turn, run: Run) -> Iterator[Message]:
    yield Message(lane=lane, turn=turn, role=Message.Role.USER, parts=text_parts("What follows from the above?"))
    yield Message(lane=lane, turn=turn, role=Message.Role.ASSISTANT, run=run, model_label="model")


def _run(lane: Lane, turn: Turn, text: str, html: str) -> Run:
    return Run(
        topic=lane.conversation.topic,
        owner_id=turn.owner_id,
        status=Run.Status.DONE,
        endpoint_id=lane.endpoint_id,
        model_id=lane.model_id,
        request='{"model": "m", "messages": []}' + " " * 1_000,
        text=text,
        html=html,
        renderer_version=RENDERER_VERSION,
        started_at=NOW,
        finished_at=NOW,
        first_token_seconds=0.3,
        elapsed_seconds=4.0,
        tokens_per_second=50.0,
        prompt_tokens=400,
        completion_tokens=150,
        finish_reason="stop",
    )


def _store(model: Any, rows: Iterable[Any]) -> None:
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH)):
        model.objects.bulk_create(batch)
