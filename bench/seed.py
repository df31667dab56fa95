"""Fills a playground's database. Runs inside its process environment (``manage.py shell``), printing JSON."""

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations.ceilings import count_anew
from chat.conversations.models import Conversation, Lane


def say(facts: object) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")


def endpoint_at(base_url: str) -> Endpoint:
    """The bench's own endpoint; it needs no key."""
    fields = {"label": "Bench", "kind": Endpoint.Kind.OPENAI, "base_url": base_url, "needs_key": False}
    fields["private_addresses_allowed"] = True
    return Endpoint.objects.get_or_create(slug="bench", defaults=fields)[0]


def person(name: str) -> User:
    """Somebody who has been here before: what is stored of a person is counted once, at the first send."""
    user, is_new = User.objects.get_or_create(username=name)
    if is_new:
        count_anew(user)
    return user


def session_of(user: User) -> str:
    """The key of a session in which this person is signed in."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return str(session.session_key)


def chat(user: User, endpoint: Endpoint, models: Sequence[str]) -> Conversation:
    conversation = Conversation.objects.create(owner=user, title="Bench")
    Lane.objects.bulk_create(
        Lane(conversation=conversation, position=place, endpoint=endpoint, model_id=model)
        for place, model in enumerate(models)
    )
    return conversation


def chats(base_url: str, people: int, *lanes: Sequence[str]) -> None:
    """For each of so many people one chat for each entry of ``lanes``, its models; prints what a page would know."""
    endpoint = endpoint_at(base_url)
    say([_of_one(person(f"bench{number}"), endpoint, lanes) for number in range(people)])


def _of_one(user: User, endpoint: Endpoint, lanes: Sequence[Sequence[str]]) -> dict[str, Any]:
    made = [chat(user, endpoint, models) for models in lanes]
    return {
        "session": session_of(user),
        "chats": [
            {
                "id": str(conversation.pk),
                "stamp": conversation.stamp,
                "lanes": list(conversation.lanes.order_by("pk").values_list("pk", flat=True)),
            }
            for conversation in made
        ],
    }
