"""Chats to begin with on an empty page: each opens a draft with its text typed and its lanes set, ready to be sent.

They run on the model of this machine, so that all of them work without a token.
"""

from dataclasses import dataclass, field
from typing import Any

from chat.accounts.models import User
from chat.catalogue.models import ModelChoice
from chat.conversations import list_actions
from chat.conversations.models import Conversation, Lane


@dataclass(frozen=True, slots=True)
class Starter:
    """``lanes`` holds the parameters of each lane, all of them on the same model."""

    slug: str
    title: str
    text: str
    prompt: str
    lanes: tuple[dict[str, Any], ...] = field(default_factory=lambda: ({},))


_ALL = (
    Starter(
        "temperatures",
        "One model, two temperatures",
        "The same question at 0 and at 1.2, side by side.",
        "Write one sentence about the sea.",
        ({"temperature": 0, "max_tokens": 120}, {"temperature": 1.2, "max_tokens": 120}),
    ),
    Starter(
        "reproducible",
        "The same answer twice",
        "One seed in both columns; change it in one and see.",
        "Invent a name for a small sailing boat and say why it fits.",
        ({"seed": 7, "max_tokens": 120}, {"seed": 7, "max_tokens": 120}),
    ),
    Starter(
        "code",
        "Ask for some code",
        "Shown with its language, highlighted, one click to copy.",
        "Write a Python function that reverses a string. Show it in a code block.",
        ({"temperature": 0, "max_tokens": 300},),
    ),
    Starter(
        "short",
        "Cut it off on purpose",
        "A limit of 24 tokens, then Continue.",
        "Tell me a story about a lighthouse keeper.",
        ({"max_tokens": 24},),
    ),
)
STARTERS = {starter.slug: starter for starter in _ALL}


def open_starter(user: User, starter: Starter, choice: ModelChoice) -> Conversation:
    """A draft as the starter describes it, in place of the one there was."""
    draft = list_actions.fresh_draft(user, [choice] * len(starter.lanes), starter.prompt)
    for lane, parameters in zip(Lane.objects.live().filter(conversation=draft), starter.lanes, strict=True):
        Lane.objects.filter(pk=lane.pk).update(parameters=parameters, system_prompt="")
    return draft
