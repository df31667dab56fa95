"""Conversation, Lane, Turn, Message: what people write, as trees that nothing is ever cut out of.

A lane is a tree of messages with a head; the path from the root to the head is what one sees and what the
model is sent. Editing and regenerating add siblings; deleting marks rows, so that undo is possible.
"""

import uuid
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypedDict

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, ModelChoice
from chat.prepared import Prepared, PreparedUpdate, given
from chat.runs.models import Run

MAX_LANES = 6
LETTERS = "ABCDEF"


class Part(TypedDict):
    """One part of a message's content, in the shape of the chat-completion API."""

    type: str
    text: str


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def note_change(self, pk: uuid.UUID, **fields: Any) -> None:
        """Make every page that shows this chat older than the chat; ``fields`` change with it."""
        _note(tuple(fields))(chat=pk, **fields)

    def of(self, user: User) -> "ConversationQuerySet":
        """What this person may open. Nobody else may, administrators included."""
        return self.filter(owner=user, deleted_at__isnull=True)

    def listed(self, user: User) -> "ConversationQuerySet":
        """The sidebar's order: pinned first, then the latest; marked where an answer is being written.

        Only what the list shows: what is typed in a chat can be long.
        """
        at_work = Run.objects.active().filter(topic=OuterRef("topic"))
        shown = self.of(user).filter(is_draft=False).only("title", "pinned", "updated_at", "answered_at", "seen_at")
        return shown.annotate(working=Exists(at_work)).order_by("-pinned", "-updated_at")


@lru_cache(maxsize=16)
def _note(names: tuple[str, ...]) -> PreparedUpdate:
    return PreparedUpdate(lambda: Conversation.objects.filter(pk=given("chat")), *names, version=F("version") + 1)


class Conversation(models.Model):
    """One to six lanes that are asked together. ``/`` shows each person's draft: a conversation not yet begun."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    topic = models.CharField(max_length=64, unique=True, editable=False)
    title = models.CharField(max_length=200, blank=True)
    is_draft = models.BooleanField(default=False)
    pinned = models.BooleanField(default=False)
    composer_text = models.TextField(blank=True, help_text="What is typed and not sent.")
    version = models.PositiveIntegerField(default=0, help_text="Goes up with every change that a page shows.")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    objects = ConversationQuerySet.as_manager()

    # What counts as stored text of the owner, here and below.
    TEXTS = ("composer_text",)

    class Meta:
        indexes = [models.Index(fields=["owner", "-pinned", "-updated_at"], name="conversations_of_a_person")]
        constraints = [
            models.UniqueConstraint(fields=["owner"], condition=Q(is_draft=True), name="one_draft_per_person")
        ]

    def __str__(self) -> str:
        return self.title or "New chat"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.topic = self.topic or f"conversation.{self.id.hex}"
        super().save(*args, **kwargs)

    @property
    def stamp(self) -> str:
        """As of when a page shows this chat; equal stamps mean equal lanes, turns and answers."""
        return str(self.version)

    def live_answers(self) -> int:
        """How many answers are being written or wait."""
        return Run.objects.active().filter(topic=self.topic).count()

    @property
    def unread(self) -> bool:
        return self.answered_at is not None and (self.seen_at is None or self.answered_at > self.seen_at)

    @property
    def mark(self) -> str:
        """What the list of chats says beside the title. Only a chat that was ``listed`` knows whether it is at work."""
        return "working" if getattr(self, "working", False) else "unread" if self.unread else ""


_OPEN = Prepared(lambda: Conversation.objects.of(given("user")).filter(pk=given("pk")))
_LISTED = Prepared(lambda: Conversation.objects.listed(given("user")).filter(topic=given("topic")))


def open_chat(user: User, pk: uuid.UUID) -> Conversation | None:
    """The chat of this id, where this person may open it."""
    return _OPEN.first(user=user.pk, pk=pk)


def listed_chat(user: User, topic: str) -> Conversation | None:
    """The chat of this topic as the sidebar shows it, where it does."""
    return _LISTED.first(user=user.pk, topic=topic)


class LaneQuerySet(models.QuerySet["Lane"]):
    def of(self, user: User) -> "LaneQuerySet":
        """The lanes of this person's chats."""
        return self.filter(conversation__owner=user, conversation__deleted_at__isnull=True)

    def live(self) -> "LaneQuerySet":
        return self.filter(removed_at__isnull=True).order_by("position", "pk")

    def locked(self) -> "LaneQuerySet":
        """With their endpoints, for this transaction alone: before anything else, and the oldest first, so
        that no two wait for each other. SQLite has one writer at a time and ignores the lock."""
        lanes = self.select_related("endpoint").order_by("pk")
        return lanes.select_for_update(of=("self",), no_key=True)

    def locked_in_order(self) -> "list[Lane]":
        """All of one chat that are not removed, locked, in the order in which they stand."""
        return sorted(self.filter(removed_at__isnull=True).locked(), key=lambda lane: (lane.position, lane.pk))


class Lane(models.Model):
    """One model with its own system prompt, parameters and message tree. Lanes never read each other."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="lanes")
    position = models.PositiveSmallIntegerField(default=0)
    endpoint = models.ForeignKey(Endpoint, null=True, on_delete=models.SET_NULL, related_name="+")
    model_id = models.CharField(max_length=300)
    provider = models.CharField(max_length=60, blank=True)
    key_ref = models.CharField(
        max_length=40, blank=True, help_text="The key chosen to pay; empty follows the usual order."
    )
    system_prompt = models.TextField(blank=True)
    parameters: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(default=dict)
    head = models.ForeignKey("Message", null=True, on_delete=models.SET_NULL, related_name="+")
    removed_at = models.DateTimeField(null=True)

    objects = LaneQuerySet.as_manager()

    TEXTS = ("system_prompt",)

    def __str__(self) -> str:
        return f"{self.choice.label} in {self.conversation_id}"

    @property
    def choice(self) -> ModelChoice:
        return ModelChoice(self.endpoint_id, self.model_id, self.provider)

    @property
    def model_label(self) -> str:
        return self.choice.label


class TurnQuerySet(models.QuerySet["Turn"]):
    def of(self, user: User) -> "TurnQuerySet":
        """The turns of this person's chats."""
        owned = {"conversation__owner": user, "conversation__deleted_at__isnull": True}
        return self.filter(**owned).select_related("conversation")


class Turn(models.Model):
    """One action of a person that adds messages to one or more lanes.

    ``client_id`` makes sending idempotent. ``row`` is where the turn stands on the page: an edit takes the row
    of what it replaces, so that lanes stay aligned.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    client_id = models.CharField(max_length=64)
    row = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    objects = TurnQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "client_id"], name="one_turn_per_client_id")]
        indexes = [models.Index(fields=["conversation", "row"], name="turns_in_order")]

    def __str__(self) -> str:
        return f"Turn {self.row} of {self.conversation_id}"


_TURN = Prepared(lambda: Turn.objects.of(given("user")).filter(pk=given("pk")))


def open_turn(user: User, pk: int) -> Turn | None:
    """The turn of this id, where it is one of this person's."""
    return _TURN.first(user=user.pk, pk=pk)


@dataclass(frozen=True, slots=True)
class Siblings:
    """Where a message stands among its alternatives; ``previous`` and ``next`` are their ids, None at the ends."""

    position: int
    count: int
    previous: int | None
    next: int | None

    @classmethod
    def among(cls, pks: list[int], pk: int) -> "Siblings":
        place = pks.index(pk)
        return cls(
            position=place + 1,
            count=len(pks),
            previous=pks[place - 1] if place > 0 else None,
            next=pks[place + 1] if place + 1 < len(pks) else None,
        )


class MessageQuerySet(models.QuerySet["Message"]):
    def of(self, user: User) -> "MessageQuerySet":
        """The messages of this person's chats, deleted ones too, as undo needs them."""
        owned = {"lane__conversation__owner": user, "lane__conversation__deleted_at__isnull": True}
        return self.filter(**owned).select_related("lane__conversation", "turn__conversation", "parent", "run")

    def live(self) -> "MessageQuerySet":
        """What still stands somewhere: neither deleted nor in a lane that was removed."""
        return self.filter(deleted_at__isnull=True, lane__removed_at__isnull=True)


class Message(models.Model):
    """One node of a lane's tree. An assistant message points at the run that writes it, unless a person edited it."""

    class Role(models.TextChoices):
        USER = "user", "You"
        ASSISTANT = "assistant", "Model"

    lane = models.ForeignKey(Lane, on_delete=models.CASCADE, related_name="messages")
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="messages")
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")
    role = models.CharField(max_length=10, choices=Role.choices)
    parts: models.JSONField[list[Part], list[Part]] = models.JSONField(default=list)
    run = models.OneToOneField(Run, null=True, on_delete=models.CASCADE, related_name="message")
    html = models.TextField(blank=True, help_text="An answer's text rendered, where no run keeps it.")
    model_label = models.CharField(
        max_length=300, blank=True, help_text="Who wrote an answer, kept when the lane changes."
    )
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)

    objects = MessageQuerySet.as_manager()

    TEXTS = ("parts", "html")

    # Where it stands among its alternatives, when history was asked for that; not a column.
    siblings: Siblings | None = None

    class Meta:
        ordering = [F("pk").asc()]

    def __str__(self) -> str:
        return f"{self.get_role_display()} in lane {self.lane_id}"

    @property
    def text(self) -> str:
        """The text, wherever it is kept: an answer's is its run's until a person edits it."""
        if self.run is not None:
            return self.run.prefix + self.run.text
        return "".join(part["text"] for part in self.parts if part["type"] == "text")


def text_parts(text: str) -> list[Part]:
    return [{"type": "text", "text": text}]
