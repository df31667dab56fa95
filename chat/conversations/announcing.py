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
    topic = broadcast.user_topic(conversation.owner_id)
    transaction.on_commit(lambda: broadcast.publish(topic, broadcast.ChatListChanged()))
