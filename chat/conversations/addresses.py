"""Where a message is: the page of its chat, opened so that the message is on it and in view."""

from uuid import UUID

from django.urls import reverse


def message_address(conversation_id: UUID, message_id: int) -> str:
    return f"{reverse('conversation', args=[conversation_id])}?message={message_id}#message-{message_id}"
