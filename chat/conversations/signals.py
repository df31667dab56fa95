"""What happens in chats when a run ends: the chat counts as answered, and what waited behind the run begins."""

from typing import Any

from django.db.models import F
from django.dispatch import receiver
from django.utils import timezone

from chat.conversations.actions import release_followers
from chat.conversations.models import Conversation
from chat.runs import broadcast
from chat.runs.models import Run
from chat.runs.signals import run_ended


@receiver(run_ended)
def go_on_after_run(run: Run, **kwargs: Any) -> None:
    now = timezone.now()
    chats = Conversation.objects.filter(topic=run.topic)
    chats.update(answered_at=now, updated_at=now, version=F("version") + 1)
    release_followers(run)
    broadcast.publish(broadcast.user_topic(run.owner_id), broadcast.ChatListChanged())
