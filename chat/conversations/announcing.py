"""Notes a change of a conversation and announces it after commit; what every verb does last."""

from typing import Any

from django.db import transaction

from chat.conversations.models import Conversation
from chat.runs import broadcast


def announce(conversation: Conversation, event: broadcast.Event, **fields: Any) -> None:
    """Tell the pages of this chat, those that connect later included: their stamp is old now. ``fields`` of its row
    change with it."""
    Conversation.objects.note_change(conversation.pk, **fields)
    transaction.on_commit(lambda: broadcast.publish(conversation.topic, event))


def announce_list(conversation: Conversation) -> None:
    """Tell the owner's pages that the list of chats looks different."""
    _announce_to(conversation.owner_id, broadcast.ChatListChanged())


def announce_mark(owner_id: int, topic: str) -> None:
    """Tell the owner's pages that the chat of this topic is at work, or unread, or no longer."""
    _announce_to(owner_id, broadcast.ChatMarked(topic))


def _announce_to(person_id: int, event: broadcast.Event) -> None:
    transaction.on_commit(lambda: broadcast.publish(broadcast.user_topic(person_id), event))
