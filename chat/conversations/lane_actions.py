"""What a person does with lanes: add, duplicate, remove, move, point at another model, set parameters.

Removing marks the row, so that undo brings a lane back as it was. Copies are rows of their own: lanes never share a
message.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.actions import remember_choice
from chat.catalogue.models import ModelChoice
from chat.conversations.announcing import announce
from chat.conversations.ceilings import take_room
from chat.conversations.errors import Refused
from chat.conversations.history import Tree
from chat.conversations.models import MAX_LANES, Conversation, Lane, Message, text_parts
from chat.conversations.tree_actions import stop_all
from chat.runs.broadcast import LanesChanged, SettingsChanged
from chat.runs.models import Run
from chat.usage.storage import bytes_of


def new_lane(conversation: Conversation, choice: ModelChoice, user: User) -> Lane:
    """A lane at the end of a conversation, with the person's own defaults. Raises Refused beyond six.

    The caller counts it as stored.
    """
    lanes = _with_room(conversation)
    return Lane.objects.create(
        conversation=conversation,
        position=lanes[-1].position + 1 if lanes else 0,
        endpoint_id=choice.endpoint_id,
        model_id=choice.model_id,
        provider=choice.provider,
        system_prompt=user.default_system_prompt,
        parameters=dict(user.default_parameters),
    )


def add_lane(user: User, conversation: Conversation, choice: ModelChoice, copy: bool) -> Lane:
    """Put another model beside the others; ``copy`` gives it the messages and system prompt of the first lane."""
    with transaction.atomic():
        first = Lane.objects.live().filter(conversation=conversation).first()
        lane = new_lane(conversation, choice, user)
        copied = 0
        if copy and first is not None:
            lane.system_prompt = first.system_prompt
            copied = _copy_path(first, lane)
            lane.save(update_fields=["system_prompt"])
        remember_choice(user, choice)
        announce(conversation, LanesChanged())
        take_room(user, bytes_of(lane, Lane.TEXTS) + copied)
    return lane


def duplicate_lane(user: User, source: Lane) -> Lane:
    """The same model, settings and messages once more, beside the original."""
    with transaction.atomic():
        lane = new_lane(source.conversation, source.choice, user)
        lane.system_prompt, lane.parameters, lane.key_ref = (
            source.system_prompt,
            dict(source.parameters),
            source.key_ref,
        )
        lane.save(update_fields=["system_prompt", "parameters", "key_ref"])
        copied = _copy_path(source, lane)
        announce(source.conversation, LanesChanged())
        take_room(user, bytes_of(lane, Lane.TEXTS) + copied)
    return lane


def remove_lane(lane: Lane) -> None:
    """Take a lane out of the comparison and stop what it writes; ``restore_lane`` undoes it. The last one stays."""
    with transaction.atomic():
        if len(Lane.objects.filter(conversation=lane.conversation).locked_in_order()) < 2:
            raise Refused("A chat needs at least one model.")
        stop_all(Run.objects.active().filter(message__lane=lane))
        Lane.objects.filter(pk=lane.pk).update(removed_at=timezone.now())
        announce(lane.conversation, LanesChanged())


def restore_lane(lane: Lane) -> None:
    with transaction.atomic():
        _with_room(lane.conversation)
        Lane.objects.filter(pk=lane.pk).update(removed_at=None)
        announce(lane.conversation, LanesChanged())


def move_lane(lane: Lane, step: int) -> None:
    """Swap a lane with its neighbour ``step`` places away; at the edge nothing happens."""
    with transaction.atomic():
        lanes = Lane.objects.filter(conversation=lane.conversation).locked_in_order()
        place = next((index for index, other in enumerate(lanes) if other.pk == lane.pk), None)
        if place is None:
            raise Refused("That model is not there any more.")
        target = min(max(place + step, 0), len(lanes) - 1)
        lanes.insert(target, lanes.pop(place))
        for position, other in enumerate(lanes):
            Lane.objects.filter(pk=other.pk).update(position=position)
        announce(lane.conversation, LanesChanged())


def change_model(user: User, lane: Lane, choice: ModelChoice) -> None:
    """Point a lane at another model from its next answer on; what stands keeps the name of who wrote it."""
    with transaction.atomic():
        Lane.objects.filter(pk=lane.pk).update(
            endpoint_id=choice.endpoint_id, model_id=choice.model_id, provider=choice.provider, key_ref=""
        )
        remember_choice(user, choice)
        announce(lane.conversation, LanesChanged())


def choose_lane_key(lane: Lane, key_ref: str) -> None:
    """Say which key pays for a lane's answers; empty follows the usual order."""
    with transaction.atomic():
        Lane.objects.filter(pk=lane.pk).update(key_ref=key_ref)
        announce(lane.conversation, SettingsChanged())


def set_settings(lane: Lane, system_prompt: str, parameters: Mapping[str, Any]) -> None:
    """Store a lane's system prompt and parameters, of which only what is set is given."""
    with transaction.atomic():
        locked = Lane.objects.select_for_update(no_key=True).get(pk=lane.pk)
        before = bytes_of(locked, Lane.TEXTS)
        locked.system_prompt, locked.parameters = system_prompt, dict(parameters)
        locked.save(update_fields=["system_prompt", "parameters"])
        announce(lane.conversation, SettingsChanged())
        take_room(lane.conversation.owner, bytes_of(locked, Lane.TEXTS) - before)


def apply_to_all(lane: Lane) -> None:
    """Give all lanes of a conversation the parameters of this one; system prompts stay their own."""
    with transaction.atomic():
        lanes = Lane.objects.filter(conversation=lane.conversation).locked_in_order()
        Lane.objects.filter(pk__in=[each.pk for each in lanes]).update(parameters=lane.parameters)
        announce(lane.conversation, SettingsChanged())


def copy_settings(source: Lane, lane: Lane) -> None:
    """Give ``lane`` the parameters of ``source``."""
    with transaction.atomic():
        Lane.objects.filter(pk=lane.pk).update(parameters=source.parameters)
        announce(lane.conversation, SettingsChanged())


def _with_room(conversation: Conversation) -> list[Lane]:
    """The lanes, with nobody else adding one until this transaction ends. Raises Refused where there are six.

    A lock on the lanes does not see the one that another transaction adds, so their conversation is locked as well:
    after the lanes, as everywhere.
    """
    Lane.objects.filter(conversation=conversation).locked_in_order()
    Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
    lanes = list(Lane.objects.live().filter(conversation=conversation))
    if len(lanes) >= MAX_LANES:
        raise Refused(f"A chat compares at most {MAX_LANES} models. Remove one first.")
    return lanes


def _copy_path(source: Lane, lane: Lane) -> int:
    """Copy the visible path down to the first question that is not answered yet; returns the bytes it takes.

    Answers become plain text with their author's name: a run belongs to one message.
    """
    parent: Message | None = None
    copied = 0
    path = [node.pk for node in Tree.of(source).path(source.head_id)]
    messages = Message.objects.select_related("run").in_bulk(path)
    runs = (messages[pk].run for pk in path)
    unsettled = next((place for place, run in enumerate(runs) if run is not None and not run.is_settled), None)
    for original in (messages[pk] for pk in (path if unsettled is None else path[: unsettled - 1])):
        parent = Message.objects.create(
            lane=lane,
            turn_id=original.turn_id,
            parent=parent,
            role=original.role,
            parts=text_parts(original.text),
            html=original.run.html if original.run is not None else original.html,
            model_label=original.model_label,
        )
        copied += bytes_of(parent, Message.TEXTS)
    lane.head = parent
    Lane.objects.filter(pk=lane.pk).update(head=parent)
    return copied
