"""Messages that wait behind answers: asked once, in order, with all that stands above them, or taken back whole."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from chat.accounts.models import User
from chat.catalogue.models import ModelChoice
from chat.conversations import actions, lane_actions, tree_actions
from chat.conversations.errors import Refused
from chat.conversations.history import Tree
from chat.conversations.models import Conversation, Lane, Message, Turn
from chat.runs.actions import settle_run
from chat.runs.models import Run
from chat.runs.outcome import Outcome
from tests.conversations.conftest import lanes_of

pytestmark = pytest.mark.django_db

VERBS: dict[str, Callable[[User, Message], object]] = {
    "edit": lambda user, message: actions.edit_message(user, message, "Better"),
    "regenerate": actions.regenerate,
    "continue": actions.continue_answer,
    "select": lambda user, message: tree_actions.select_message(message),
    "delete": lambda user, message: tree_actions.delete_message(message),
}


def send(user: User, chat: Conversation, text: str, *lanes: Lane) -> Turn:
    pks = [lane.pk for lane in lanes or lanes_of(chat)]
    return actions.send_message(user, chat, text, pks, uuid4().hex)


def run_of(turn: Turn, lane: Lane | None = None) -> Run:
    found = Run.objects.filter(message__turn=turn)
    return found.get(message__lane=lane) if lane else found.get()


def answer_of(turn: Turn) -> Message:
    return turn.messages.select_related("run", "lane", "turn", "parent").get(role="assistant")


def begin(run: Run) -> None:
    Run.objects.move(run.pk, Run.Status.QUEUED, Run.Status.STREAMING)


def end(run: Run, text: str = "An answer.") -> None:
    begin(run)
    settle_run(run.pk, Outcome(Run.Status.DONE, {"text": text}), None)


def asked(run: Run) -> list[str]:
    run.refresh_from_db()
    return [message["content"] for message in run.wire_request.body["messages"]]


def visible(lane: Lane) -> list[str]:
    lane.refresh_from_db()
    path = [node.pk for node in Tree.of(lane).path(lane.head_id)]
    found = Message.objects.select_related("run").in_bulk(path)
    return [found[pk].text for pk in path]


def test_what_waits_behind_a_stopped_message_still_waits_for_the_answer_above(alice: User, chat: Conversation) -> None:
    first, second, third = (send(alice, chat, text) for text in ("One", "Two", "Three"))
    begin(run_of(first))

    tree_actions.stop(run_of(second).pk)
    waiting = run_of(third)
    end(run_of(first), "First answer.")

    assert waiting.after_id == run_of(first).pk
    assert asked(waiting) == ["One", "First answer.", "Two", "Three"]


def test_what_waits_behind_a_message_taken_back_still_waits_for_the_answer_above(
    alice: User, chat: Conversation
) -> None:
    first, second, third = (send(alice, chat, text) for text in ("One", "Two", "Three"))
    begin(run_of(first))

    tree_actions.take_back(second)
    waiting = run_of(third)
    end(run_of(first), "First answer.")

    assert waiting.after_id == run_of(first).pk
    assert asked(waiting) == ["One", "First answer.", "Three"]


def test_a_message_below_a_stopped_one_waits_for_the_answer_that_is_being_written(
    alice: User, chat: Conversation
) -> None:
    first, second = send(alice, chat, "One"), send(alice, chat, "Two")
    begin(run_of(first))
    tree_actions.stop(run_of(second).pk)

    third = send(alice, chat, "Three")

    assert run_of(third).after_id == run_of(first).pk


def test_a_message_right_behind_a_stop_is_asked_with_the_text_so_far(alice: User, chat: Conversation) -> None:
    first = send(alice, chat, "One")
    begin(run_of(first))
    tree_actions.stop(run_of(first).pk)

    second = run_of(send(alice, chat, "Two"))
    settle_run(run_of(first).pk, Outcome(Run.Status.STOPPED, {"text": "Half an ans"}), None)

    assert asked(second) == ["One", "Half an ans", "Two"]


def test_a_message_is_taken_back_only_where_it_waits(alice: User, comparison: Conversation) -> None:
    fast, slow = lanes_of(comparison)
    first = send(alice, comparison, "One")
    second = send(alice, comparison, "Two")
    end(run_of(first, fast), "First answer.")
    begin(run_of(second, fast))

    text = tree_actions.take_back(second)

    assert text == "Two"
    assert visible(fast) == ["One", "First answer.", "Two", ""]
    assert visible(slow) == ["One", ""]


def test_taking_back_a_regeneration_shows_the_old_answer_and_leaves_the_composer(
    alice: User, chat: Conversation
) -> None:
    turn = send(alice, chat, "One")
    end(run_of(turn))
    Conversation.objects.update(composer_text="half a thought")
    again = actions.regenerate(alice, answer_of(turn))

    text = tree_actions.take_back(again.turn)

    chat.refresh_from_db()
    assert (text, chat.composer_text) == ("", "half a thought")
    assert visible(lanes_of(chat)[0]) == ["One", "An answer."]


def test_what_was_typed_meanwhile_stands_behind_what_is_taken_back(alice: User, chat: Conversation) -> None:
    turn = send(alice, chat, "One")
    Conversation.objects.update(composer_text="typed since")

    tree_actions.take_back(turn)

    chat.refresh_from_db()
    assert chat.composer_text == "One\n\ntyped since"


def test_a_continuation_that_waited_is_asked_to_go_on(alice: User, chat: Conversation) -> None:
    first, second = send(alice, chat, "One"), send(alice, chat, "Two")
    begin(run_of(first))
    tree_actions.stop(run_of(second).pk)
    edited = actions.edit_message(alice, answer_of(second), "Second, half")

    more = actions.continue_answer(alice, edited)
    end(run_of(first), "First answer.")

    assert more.run is not None
    assert asked(more.run)[:4] == ["One", "First answer.", "Two", "Second, half"]
    assert len(asked(more.run)) == 5


def test_the_system_prompt_is_that_of_the_time_of_sending(alice: User, chat: Conversation) -> None:
    Lane.objects.update(system_prompt="Be terse.")
    first, second = send(alice, chat, "One"), send(alice, chat, "Two")
    Lane.objects.update(system_prompt="Be long.")

    end(run_of(first), "First answer.")

    assert asked(run_of(second)) == ["Be terse.", "One", "First answer.", "Two"]


def test_an_answer_that_is_stopped_but_not_stored_is_not_copied(alice: User, chat: Conversation) -> None:
    first, second = send(alice, chat, "One"), send(alice, chat, "Two")
    end(run_of(first))
    begin(run_of(second))
    tree_actions.stop(run_of(second).pk)
    [lane] = lanes_of(chat)

    copy = lane_actions.add_lane(alice, chat, ModelChoice(lane.endpoint_id, "fake/copy"), copy=True)

    assert visible(copy) == ["One", "An answer."]


def test_asking_now_asks_what_is_visible_in_the_other_lanes(alice: User, comparison: Conversation) -> None:
    plain, echo = lanes_of(comparison)
    turn = send(alice, comparison, "Typo", plain)
    end(run_of(turn))
    actions.edit_message(alice, turn.messages.select_related("lane", "turn").get(role="user"), "Corrected")

    actions.ask_now(alice, echo, turn.row)

    assert visible(echo) == ["Corrected", ""]


def test_asking_now_twice_asks_once(alice: User, comparison: Conversation) -> None:
    plain, echo = lanes_of(comparison)
    turn = send(alice, comparison, "Only for one", plain)
    actions.ask_now(alice, echo, turn.row)

    with pytest.raises(Refused, match="already"):
        actions.ask_now(alice, echo, turn.row)

    assert visible(echo) == ["Only for one", ""]


def test_stopping_a_chat_starts_nothing_that_waited(alice: User, chat: Conversation) -> None:
    turns = [send(alice, chat, text) for text in ("One", "Two", "Three")]
    begin(run_of(turns[0]))

    stopped = tree_actions.stop_conversation(chat)

    assert stopped == 3
    assert [run_of(turn).status for turn in turns] == ["stopped"] * 3
    assert not Run.objects.active().exists()


def test_a_removed_lane_stops_writing(alice: User, comparison: Conversation) -> None:
    turn = send(alice, comparison, "One")
    removed, kept = lanes_of(comparison)

    lane_actions.remove_lane(removed)

    assert (run_of(turn, removed).status, run_of(turn, kept).status) == ("stopped", "queued")


def test_restoring_below_something_deleted_waits_for_that_too(alice: User, chat: Conversation) -> None:
    first, second = send(alice, chat, "One"), send(alice, chat, "Two")
    upper, lower = (turn.messages.select_related("lane").get(role="user") for turn in (first, second))
    tree_actions.delete_message(lower)
    tree_actions.delete_message(upper)

    tree_actions.restore_message(lower)
    before = visible(lanes_of(chat)[0])
    tree_actions.restore_message(upper)

    assert before == []
    assert visible(lanes_of(chat)[0]) == ["One", "", "Two", ""]


@pytest.mark.parametrize("verb", VERBS)
def test_what_stands_below_something_deleted_cannot_be_worked_on(alice: User, chat: Conversation, verb: str) -> None:
    first, second = send(alice, chat, "One"), send(alice, chat, "Two")
    end(run_of(first))
    end(run_of(second))
    below = answer_of(second)
    tree_actions.delete_message(first.messages.select_related("lane").get(role="user"))
    runs = Run.objects.count()

    with pytest.raises(Refused, match="not there any more"):
        VERBS[verb](alice, below)

    assert visible(lanes_of(chat)[0]) == []
    assert Run.objects.count() == runs


def test_a_limit_is_not_raised_where_nothing_is_asked(alice: User, chat: Conversation, settings: object) -> None:
    Lane.objects.update(parameters={"max_tokens": 24})
    turn = send(alice, chat, "Count")
    end(run_of(turn), "One")
    settings.MAX_ACTIVE_RUNS = 0  # type: ignore[attr-defined]

    with pytest.raises(Refused, match="At most"):
        actions.continue_answer(alice, answer_of(turn), raise_limit=True)

    assert lanes_of(chat)[0].parameters == {"max_tokens": 24}
