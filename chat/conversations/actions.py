"""What a person asks in a chat: send, edit, regenerate, continue.

Every verb is one transaction, takes model instances and plain values, and announces after commit. What only moves
through or cuts from the tree is in ``tree_actions``, lanes in ``lane_actions``, all of them at once in ``all_lanes``,
the list of chats in ``list_actions``.
"""

from collections.abc import Iterable
from uuid import uuid4

from django.db import IntegrityError, transaction

from chat.accounts.models import User
from chat.conversations.announcing import announce, announce_list, announce_mark
from chat.conversations.asking import Change, Plan, busy_answer, pay, plan, queue_answer, refreeze
from chat.conversations.beginning import begin
from chat.conversations.ceilings import check_answers, check_chats, one_at_a_time, take_room
from chat.conversations.errors import Refused
from chat.conversations.history import Tree, next_row
from chat.conversations.models import Conversation, Lane, Message, Turn, text_parts
from chat.conversations.sidebar import is_at_top
from chat.conversations.tree_actions import locked_lane, locked_tree, point_at, stop_all
from chat.markdown import render
from chat.prepared import Prepared, PreparedInsert, given
from chat.runs import broadcast, supervisor
from chat.runs.broadcast import LanesChanged, TurnAdded
from chat.runs.models import Run
from chat.usage.storage import bytes_of

_LANES = Prepared(lambda: Lane.objects.filter(conversation=given("chat"), removed_at__isnull=True).locked())
_ADD_TURN = PreparedInsert(Turn)
_ADD_MESSAGE = PreparedInsert(Message)
_FOLLOWERS = Prepared(
    lambda: Run.objects.filter(after=given("run"), status=Run.Status.QUEUED).values_list("pk", flat=True)
)


def send_message(
    user: User, conversation: Conversation, text: str, lane_ids: Iterable[int], client_id: str, key_ref: str = ""
) -> Turn:
    """Ask ``text`` in the given lanes, or in the only one there is, paid with ``key_ref`` where that fits.

    Sending the same ``client_id`` again gives the turn that it made before.
    """
    try:
        with transaction.atomic():
            # All are locked: the row below the last turn must be nobody else's, whichever lanes they ask.
            lanes = sorted(_LANES.rows(chat=conversation.pk), key=lambda lane: (lane.position, lane.pk))
            # First of all: what was sent before is refused for nothing else.
            turn = _ADD_TURN(
                Turn(conversation=conversation, owner=user, client_id=client_id, row=next_row(conversation))
            )
            chosen = _chosen(lanes, set(lane_ids))
            _prefer_key(chosen, key_ref)
            plans = plan(user, chosen)
            check_answers(user, len(plans))
            if conversation.is_draft:
                check_chats(user)
            answers = [_ask(user, asked, turn, text, asked.lane.head_id) for asked in plans]
            pay(user, list(zip(plans, answers, strict=True)))
            # Before it has begun anew: then none is above it but itself.
            stays = is_at_top(conversation)
            begin(conversation, text)
            transaction.on_commit(lambda: broadcast.publish(conversation.topic, TurnAdded(turn.pk)))
            if stays:
                announce_mark(user.pk, conversation.topic)
            else:
                announce_list(conversation)
            _start_after_commit(answers)
            take_room(user, _stored(answers, with_questions=True) - bytes_of(conversation, Conversation.TEXTS))
    except IntegrityError:
        if (sent := Turn.objects.filter(owner=user, client_id=client_id).first()) is None:
            raise
        return sent
    return turn


def edit_message(user: User, message: Message, text: str) -> Message:
    """Put another text in the place of a message, as its sibling. A question is asked again; an answer just stands.

    What was still being written there or below is stopped: it leaves the view, and its question no longer stands.
    """
    with transaction.atomic():
        lane, tree = locked_tree(message)
        one_at_a_time(user)
        stop_all(Run.objects.active().filter(message__in=tree.below(message.pk)))
        turn = _turn_in_row(user, message.turn)
        if is_question := message.role == Message.Role.USER:
            [asked] = plan(user, [lane])
            check_answers(user, 1)
            new = _ask(user, asked, turn, text, message.parent_id)
            pay(user, [(asked, new)])
            _start_after_commit([new])
        else:
            new = Message.objects.create(
                lane=lane,
                turn=turn,
                parent=message.parent,
                role=message.role,
                parts=text_parts(text),
                html=render(text),
                model_label=message.model_label,
            )
            point_at(lane, new)
        announce(lane.conversation, LanesChanged())
        take_room(user, _stored([new], with_questions=is_question))
    return new


def regenerate(user: User, message: Message, change: Change | None = None) -> Message:
    """Ask for the answer once more, perhaps of another model or at another temperature; the old one stays beside it.

    One that is still being written is stopped.
    """
    with transaction.atomic():
        return _replaced(message) or _answer_again(user, message, change, None)


def continue_answer(user: User, message: Message, raise_limit: bool = False) -> Message:
    """Go on with an answer that was cut off; ``raise_limit`` doubles the lane's token limit first."""
    with transaction.atomic():
        if (answer := _replaced(message)) is not None:
            return answer
        if raise_limit:
            _double_limit(locked_lane(message.lane_id))
        continues = message if message.text.strip() else None
        return _answer_again(user, message, None, continues)


def ask_now(user: User, lane: Lane, row: int) -> Message:
    """Ask one lane what others were asked in a row."""
    with transaction.atomic():
        [asked] = plan(user, [locked_lane(lane.pk)])
        question = _question_beside(asked.lane, row)
        check_answers(user, 1)
        answer = _ask(user, asked, _turn_in_row(user, question.turn), question.text, asked.lane.head_id)
        pay(user, [(asked, answer)])
        _start_after_commit([answer])
        announce(lane.conversation, LanesChanged())
        take_room(user, _stored([answer], with_questions=True))
    return answer


def retry_without_parameter(user: User, message: Message) -> Message:
    """Take the setting that the provider refused out of the lane, and ask again."""
    name = message.run.error_parameter if message.run is not None else ""
    with transaction.atomic():
        if (answer := _replaced(message)) is not None:
            return answer
        lane = locked_lane(message.lane_id)
        extra = lane.parameters.get("extra_body", {})
        if name not in lane.parameters and name not in extra:
            raise Refused("That setting is not sent any more. Try again.")
        lane.parameters.pop(name, None)
        extra.pop(name, None)
        Lane.objects.filter(pk=lane.pk).update(parameters=lane.parameters)
        return regenerate(user, message)


def release_followers(ended: Run) -> None:
    """Start the answers that waited behind one that has now ended, with its text in their requests.

    Where that one was itself waiting when it was stopped, they wait behind the next answer above.
    """
    if not _FOLLOWERS.rows(run=ended.pk):
        return
    with transaction.atomic():
        waiting = Message.objects.filter(run__after=ended, run__status=Run.Status.QUEUED)
        for message in waiting.select_related("run__endpoint", "lane", "parent"):
            run, question = message.run, message.parent
            assert run is not None and question is not None
            if (busy := busy_answer(run.topic, question)) is not None:
                Run.objects.filter(pk=run.pk, after=ended).update(after=busy)
            else:
                _release(run, message.lane, question)


def _release(run: Run, lane: Lane, question: Message) -> None:
    refreeze(run, lane, question)
    released = Run.objects.filter(pk=run.pk, after=run.after_id, status=Run.Status.QUEUED)
    if released.update(after=None, request=run.request, process_id=supervisor.process_id()) == 1:
        transaction.on_commit(lambda: supervisor.start(run))


def _replaced(message: Message) -> Message | None:
    """What is shown in an answer's place by now, or None while the answer itself is.

    A page only offers verbs of what it shows. One that comes for an answer that gave way a moment ago is a second
    click, or another page's: its wish has been done.
    """
    lane, tree = locked_tree(message)
    path = {node.pk: node for node in tree.path(lane.head_id)}
    if message.pk in path:
        return None
    beside = (node.pk for node in path.values() if (node.parent_id, node.role) == (message.parent_id, message.role))
    return Message.objects.select_related("run").filter(pk__in=beside).first()


def _answer_again(user: User, message: Message, change: Change | None, continues: Message | None) -> Message:
    question = message.parent
    if question is None or message.role != Message.Role.ASSISTANT:
        raise Refused("Only an answer can be written again.")
    with transaction.atomic():
        lane, tree = locked_tree(message)
        [asked] = plan(user, [lane], change)
        one_at_a_time(user)
        stop_all(Run.objects.active().filter(message__in=tree.below(message.pk)))
        check_answers(user, 1)
        turn = _turn_in_row(user, message.turn)
        answer = queue_answer(user, asked, turn, question, continues)
        pay(user, [(asked, answer)])
        point_at(asked.lane, answer)
        _start_after_commit([answer])
        announce(asked.lane.conversation, LanesChanged())
        take_room(user, _stored([answer], with_questions=False))
    return answer


def _question_beside(lane: Lane, row: int) -> Message:
    """What other lanes show as asked in a row. Raises Refused where this one has come as far itself."""
    heads = dict(Lane.objects.live().filter(conversation=lane.conversation_id).values_list("pk", "head"))
    trees = Tree.of_lanes(heads)
    paths = {pk: trees[pk].path(head) for pk, head in heads.items()}
    if any(node.row >= row for node in paths.pop(lane.pk, ())):
        raise Refused("This model was asked that already, or something after it.")
    asked = (node.pk for path in paths.values() for node in path if (node.row, node.role) == (row, Message.Role.USER))
    found = Message.objects.select_related("turn__conversation").filter(pk__in=[*asked][:1]).first()
    if found is None:
        raise Refused("That message is not there any more.")
    return found


def _ask(user: User, asked: Plan, turn: Turn, text: str, parent_id: int | None) -> Message:
    question = _ADD_MESSAGE(
        Message(lane=asked.lane, turn=turn, parent_id=parent_id, role=Message.Role.USER, parts=text_parts(text))
    )
    answer = queue_answer(user, asked, turn, question)
    point_at(asked.lane, answer)
    return answer


def _chosen(lanes: list[Lane], wanted: set[int]) -> list[Lane]:
    chosen = [lane for lane in lanes if lane.pk in wanted]
    if len(chosen) < len(wanted):
        raise Refused("One of these models is not there any more. Reload the page to see what is.", "lanes")
    if not chosen and len(lanes) == 1:
        return lanes
    if not chosen:
        raise Refused("Choose at least one model to send this to.", "lanes")
    return chosen


def _turn_in_row(user: User, turn: Turn) -> Turn:
    """A turn for something that happens in the place of an earlier one."""
    return Turn.objects.create(conversation=turn.conversation, owner=user, client_id=uuid4().hex, row=turn.row)


def _prefer_key(lanes: list[Lane], key_ref: str) -> None:
    """Remember on the lanes which key the person chose to pay; where it does not fit, the usual order holds."""
    changed = [lane for lane in lanes if key_ref and lane.key_ref != key_ref]
    for lane in changed:
        lane.key_ref = key_ref
    if changed:
        Lane.objects.filter(pk__in=[lane.pk for lane in changed]).update(key_ref=key_ref)


def _stored(answers: Iterable[Message], with_questions: bool) -> int:
    """How many bytes these answers take before a word of them is written, their requests included."""
    total = 0
    for answer in answers:
        total += bytes_of(answer, Message.TEXTS)
        total += bytes_of(answer.run, Run.TEXTS) if answer.run is not None else 0
        if with_questions and answer.parent is not None:
            total += bytes_of(answer.parent, Message.TEXTS)
    return total


def _start_after_commit(answers: list[Message]) -> None:
    for answer in answers:
        run = answer.run
        if run is not None and not run.is_waiting:
            transaction.on_commit(lambda run=run: supervisor.start(run))  # type: ignore[misc]


def _double_limit(lane: Lane) -> None:
    limit = lane.parameters.get("max_tokens")
    if isinstance(limit, int):
        lane.parameters["max_tokens"] = limit * 2
        Lane.objects.filter(pk=lane.pk).update(parameters=lane.parameters)
