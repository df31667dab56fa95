"""What a person does to a lane's tree without asking anything: switch, delete with undo, take back, stop.

Nothing is ever cut out: deleting marks one message, and what stands below it can no longer be reached.
"""

from django.db import transaction
from django.utils import timezone

from chat.conversations.announcing import announce
from chat.conversations.errors import Refused
from chat.conversations.history import Tree
from chat.conversations.models import Conversation, Lane, Message, Turn
from chat.runs import supervisor
from chat.runs.actions import stop_run
from chat.runs.broadcast import LanesChanged
from chat.runs.models import Run


def select_message(message: Message) -> None:
    """Show this alternative, with the latest path through it."""
    with transaction.atomic():
        lane = locked_lane(message.lane_id)
        point_at(lane, Tree.of(lane).leaf_under(message.pk))
        announce(lane.conversation, LanesChanged())


def delete_message(message: Message) -> None:
    """Take a message and what follows it out of view; ``restore_message`` brings them back."""
    with transaction.atomic():
        lane = locked_lane(message.lane_id)
        tree = Tree.of(lane)
        others = [node.pk for node in tree.siblings(tree.nodes[message.pk]) if node.pk != message.pk]
        below = tree.below(message.pk)
        for run_id in Run.objects.active().filter(message__in=below).order_by("-pk").values_list("pk", flat=True):
            stop(run_id)
        Message.objects.filter(pk=message.pk).update(deleted_at=timezone.now())
        if lane.head_id in below:
            point_at(lane, tree.leaf_under(others[-1]) if others else message.parent_id)
        announce(lane.conversation, LanesChanged())


def restore_message(message: Message) -> None:
    """Undo ``delete_message``."""
    with transaction.atomic():
        lane = locked_lane(message.lane_id)
        Message.objects.filter(pk=message.pk).update(deleted_at=None)
        point_at(lane, Tree.of(lane).leaf_under(message.pk))
        announce(lane.conversation, LanesChanged())


def take_back(turn: Turn) -> str:
    """Withdraw a message whose answers all still wait; its text goes back to the composer and is returned.

    Messages that wait behind it move up to where it stood.
    """
    with transaction.atomic():
        questions = turn.messages.filter(role=Message.Role.USER, deleted_at__isnull=True).select_related("lane")
        answers = list(turn.messages.filter(run__status=Run.Status.QUEUED, deleted_at__isnull=True))
        if not answers or not all(stop_message(answer) for answer in answers):
            raise Refused("It is being answered already; you can stop it instead.")
        text = ""
        for question in questions:
            text = question.text
            _splice_out(question, [answer.pk for answer in answers if answer.parent_id == question.pk])
        Conversation.objects.filter(pk=turn.conversation_id).update(composer_text=text)
        announce(turn.conversation, LanesChanged())
    return text


def _splice_out(question: Message, answer_ids: list[int]) -> None:
    lane = locked_lane(question.lane_id)
    if lane.head_id in answer_ids:
        point_at(lane, question.parent_id)
    Message.objects.filter(parent_id__in=answer_ids).update(parent_id=question.parent_id)
    Message.objects.filter(pk__in=[question.pk, *answer_ids]).update(deleted_at=timezone.now())


def stop_message(message: Message) -> bool:
    """Stop the answer; False when there was nothing to stop."""
    return message.run_id is not None and stop(message.run_id)


def stop_conversation(conversation: Conversation) -> int:
    """Stop all answers of a chat, waiting ones first so that none takes the place of another; returns how many."""
    active = Run.objects.active().filter(topic=conversation.topic).order_by("-pk")
    return sum(stop(pk) for pk in active.values_list("pk", flat=True))


def stop(run_id: int) -> bool:
    """Stop a run in the database, then tell its worker; False when it had ended already."""
    stopped = stop_run(run_id)
    if stopped:
        transaction.on_commit(lambda: supervisor.stop(run_id))
    return stopped


def locked_lane(pk: int) -> Lane:
    """The lane for this transaction alone; two that would move its head wait for each other."""
    return Lane.objects.locked().select_related("conversation").get(pk=pk)


def point_at(lane: Lane, head: Message | int | None) -> None:
    """Make the path that ends at ``head`` the visible one."""
    lane.head_id = head.pk if isinstance(head, Message) else head
    Lane.objects.filter(pk=lane.pk).update(head_id=lane.head_id)
