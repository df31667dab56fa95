"""What a person does to a lane's tree without asking anything: switch, delete with undo, take back, stop.

Nothing is ever cut out: deleting marks one message, and what stands below it can no longer be reached.
"""

from django.db import transaction
from django.utils import timezone

from chat.conversations.announcing import announce
from chat.conversations.errors import Refused
from chat.conversations.history import Tree
from chat.conversations.models import Conversation, Lane, Message, Turn
from chat.prepared import PreparedUpdate, given
from chat.runs import supervisor
from chat.runs.actions import hold_runs, stop_run
from chat.runs.broadcast import LanesChanged
from chat.runs.models import Run, RunQuerySet
from chat.usage import storage

_POINT = PreparedUpdate(lambda: Lane.objects.filter(pk=given("lane")), "head_id")


def select_message(message: Message) -> None:
    """Show this alternative, with the latest path through it."""
    with transaction.atomic():
        lane, tree = locked_tree(message)
        point_at(lane, tree.leaf_under(message.pk))
        announce(lane.conversation, LanesChanged())


def delete_message(message: Message) -> None:
    """Take a message and what follows it out of view; ``restore_message`` brings them back."""
    with transaction.atomic():
        lane, tree = locked_tree(message)
        below = tree.below(message.pk)
        stop_all(Run.objects.active().filter(message__in=below))
        Message.objects.filter(pk=message.pk).update(deleted_at=timezone.now())
        if lane.head_id in below:
            point_at(lane, _head_without(tree, message.pk))
        announce(lane.conversation, LanesChanged())


def restore_message(message: Message) -> None:
    """Undo ``delete_message``. Below something else that is deleted it is shown once that is restored, too."""
    with transaction.atomic():
        lane = locked_lane(message.lane_id)
        Message.objects.filter(pk=message.pk).update(deleted_at=None)
        tree = Tree.of(lane)
        if tree.stands(message.pk):
            point_at(lane, tree.leaf_under(message.pk))
        announce(lane.conversation, LanesChanged())


def take_back(turn: Turn) -> str:
    """Withdraw what a turn asked wherever its answer still waits; a question's text goes back to the composer.

    Messages that wait behind it move up to where it stood. Returns the text, empty where only an answer was asked anew.
    """
    with transaction.atomic():
        list(Lane.objects.filter(pk__in=turn.messages.values("lane")).locked())
        waiting = turn.messages.filter(run__status=Run.Status.QUEUED, deleted_at__isnull=True).select_related("parent")
        taken = [answer for answer in waiting if stop_message(answer)]
        if not taken:
            raise Refused("It is being answered already; you can stop it instead.")
        for answer in taken:
            _splice_out(answer)
        text = next((a.parent.text for a in taken if a.parent is not None and a.parent.turn_id == turn.pk), "")
        announce(turn.conversation, LanesChanged())
        _give_back(turn.conversation, text)
    return text


def _splice_out(answer: Message) -> None:
    """Take an answer out of its lane's tree, and its question too where both were asked in one turn."""
    question = answer.parent
    assert question is not None
    lane = locked_lane(answer.lane_id)
    tree = Tree.of(lane)
    with_question = question.turn_id == answer.turn_id
    first = question if with_question else answer
    if lane.head_id == answer.pk:
        point_at(lane, _head_without(tree, first.pk))
    above = question.parent_id if with_question else next(iter(_others(tree, answer.pk)), question.pk)
    Message.objects.filter(parent=answer).update(parent_id=above)
    Message.objects.filter(pk__in={first.pk, answer.pk}).update(deleted_at=timezone.now())


def _give_back(conversation: Conversation, text: str) -> None:
    """Put a text into the composer, before what was typed since."""
    if text:
        chat = Conversation.objects.select_for_update(no_key=True).get(pk=conversation.pk)
        together = "\n\n".join(filter(None, (text, chat.composer_text)))
        Conversation.objects.filter(pk=chat.pk).update(composer_text=together)
        storage.add(chat.owner_id, len(together.encode()) - len(chat.composer_text.encode()))


def _others(tree: Tree, pk: int) -> list[int]:
    """The alternatives of a message, latest first."""
    return [node.pk for node in reversed(tree.siblings(tree.nodes[pk])) if node.pk != pk]


def _head_without(tree: Tree, pk: int) -> int | None:
    """Where a lane ends when a message goes: in its latest alternative, else above it."""
    others = _others(tree, pk)
    return tree.leaf_under(others[0]) if others else tree.nodes[pk].parent_id


def stop_message(message: Message) -> bool:
    """Stop the answer; False when there was nothing to stop."""
    return message.run_id is not None and stop(message.run_id)


def stop_conversation(conversation: Conversation) -> int:
    """Stop all answers of a chat; returns how many."""
    return stop_all(Run.objects.active().filter(topic=conversation.topic))


def stop_all(runs: RunQuerySet) -> int:
    """Stop these at once, so that none takes the place of another; held before any is written."""
    with transaction.atomic():
        hold_runs(runs)
        return sum(stop(pk) for pk in runs.order_by("pk").values_list("pk", flat=True))


def stop(run_id: int) -> bool:
    """Stop a run in the database, then tell its worker; False when it had ended already."""
    stopped = stop_run(run_id)
    if stopped:
        transaction.on_commit(lambda: supervisor.stop(run_id))
    return stopped


def locked_lane(pk: int) -> Lane:
    """The lane for this transaction alone; two that would move its head wait for each other."""
    return Lane.objects.locked().select_related("conversation").get(pk=pk)


def locked_tree(message: Message) -> tuple[Lane, Tree]:
    """The lane of a message with its tree, as ``locked_lane``. Raises Refused where it, or one above, is deleted."""
    lane = locked_lane(message.lane_id)
    tree = Tree.of(lane)
    if not tree.stands(message.pk):
        raise Refused("That message is not there any more.")
    return lane, tree


def point_at(lane: Lane, head: Message | int | None) -> None:
    """Make the path that ends at ``head`` the visible one."""
    lane.head_id = head.pk if isinstance(head, Message) else head
    _POINT(lane=lane.pk, head_id=lane.head_id)
