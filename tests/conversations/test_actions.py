"""What the verbs do to a chat's messages, without an engine: the runs they queue stay queued."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations import actions, all_lanes, tree_actions, verbs
from chat.conversations.asking import Change
from chat.conversations.errors import NoKey, Refused
from chat.conversations.history import Tree
from chat.conversations.models import Conversation, Lane, Message, Turn
from chat.runs.models import Run
from tests.conversations.conftest import lanes_of
from tests.factories import make_conversation, make_endpoint, make_shared_key


def send(user: User, conversation: Conversation, text: str, client_id: str = "") -> Turn:
    pks = [lane.pk for lane in lanes_of(conversation)]
    return actions.send_message(user, conversation, text, pks, client_id or uuid4().hex)


def finish(run: Run | None, text: str = "An answer.") -> None:
    """What the engine does when an answer is done."""
    assert run is not None
    Run.objects.filter(pk=run.pk).update(status=Run.Status.DONE, text=text, finished_at=run.created_at)


def visible(lane: Lane) -> list[str]:
    """The texts of the visible path, top down."""
    lane.refresh_from_db()
    path = [node.pk for node in Tree.of(lane).path(lane.head_id)]
    found = Message.objects.select_related("run").in_bulk(path)
    return [found[pk].text for pk in path]


def test_sending_asks_every_chosen_lane_in_one_turn(alice: User, comparison: Conversation) -> None:
    turn = send(alice, comparison, "Hello")

    roles = turn.messages.values_list("lane__model_id", "role")
    assert sorted(roles) == [
        ("fake/echo", "assistant"),
        ("fake/echo", "user"),
        ("fake/plain", "assistant"),
        ("fake/plain", "user"),
    ]


def test_the_same_client_id_again_gives_the_same_turn(alice: User, chat: Conversation) -> None:
    first = send(alice, chat, "Hello", "id-1")

    second = send(alice, chat, "Hello", "id-1")

    assert first == second
    assert Run.objects.count() == 1


def test_a_first_prompt_becomes_the_title(alice: User, chat: Conversation) -> None:
    send(alice, chat, "\n  What is entropy,   and why does it matter to people who tidy their desks?\nMore")

    chat.refresh_from_db()
    assert chat.title == "What is entropy, and why does it matter to people who tidy…"


def test_a_message_behind_an_unfinished_answer_waits(alice: User, chat: Conversation) -> None:
    first = send(alice, chat, "One")

    second = send(alice, chat, "Two")

    waiting = Run.objects.get(message__turn=second)
    assert waiting.is_waiting
    assert waiting.after == Run.objects.get(message__turn=first)


def test_a_waiting_message_is_asked_with_the_answer_above_it(alice: User, chat: Conversation) -> None:
    first, second = send(alice, chat, "One"), send(alice, chat, "Two")
    above = Run.objects.get(message__turn=first)
    finish(above, "First answer.")

    actions.release_followers(above)

    released = Run.objects.get(message__turn=second)
    assert [m["content"] for m in released.wire_request.body["messages"]] == ["One", "First answer.", "Two"]
    assert not released.is_waiting


def test_a_waiting_message_can_be_taken_back_into_the_composer(alice: User, chat: Conversation) -> None:
    send(alice, chat, "One")
    turn = send(alice, chat, "Two, too early")

    text = tree_actions.take_back(turn)

    chat.refresh_from_db()
    assert text == chat.composer_text == "Two, too early"
    assert visible(lanes_of(chat)[0]) == ["One", ""]


def test_what_waits_behind_a_message_taken_back_moves_up(alice: User, chat: Conversation) -> None:
    send(alice, chat, "One")
    middle = send(alice, chat, "Two")
    send(alice, chat, "Three")

    tree_actions.take_back(middle)

    assert visible(lanes_of(chat)[0]) == ["One", "", "Three", ""]


def test_a_message_that_is_being_answered_cannot_be_taken_back(alice: User, chat: Conversation) -> None:
    turn = send(alice, chat, "One")
    Run.objects.update(status=Run.Status.STREAMING)

    with pytest.raises(Refused, match="being answered"):
        tree_actions.take_back(turn)


def test_editing_makes_a_sibling_and_keeps_the_old_one(alice: User, chat: Conversation) -> None:
    turn = send(alice, chat, "Hello")
    finish(Run.objects.get())
    question = turn.messages.get(role="user")

    edited = actions.edit_message(alice, question, "Hello again")

    assert edited.turn.row == turn.row
    assert visible(lanes_of(chat)[0]) == ["Hello again", ""]
    tree_actions.select_message(question)
    assert visible(lanes_of(chat)[0]) == ["Hello", "An answer."]


def test_regenerating_keeps_the_old_answer_beside_the_new_one(alice: User, chat: Conversation) -> None:
    turn = send(alice, chat, "Hello")
    finish(Run.objects.get())
    answer = turn.messages.get(role="assistant")

    again = actions.regenerate(alice, answer, Change(temperature=0.0))

    assert again.parent_id == answer.parent_id
    assert again.run is not None and again.run.wire_request.body["temperature"] == 0.0
    assert lanes_of(chat)[0].parameters == {}


def test_deleting_is_undone_whole(alice: User, chat: Conversation) -> None:
    first = send(alice, chat, "One")
    finish(Run.objects.get())
    send(alice, chat, "Two")
    question = first.messages.get(role="user")

    tree_actions.delete_message(question)
    after_delete = visible(lanes_of(chat)[0])
    tree_actions.restore_message(question)

    assert after_delete == []
    assert visible(lanes_of(chat)[0]) == ["One", "An answer.", "Two", ""]


def test_deleting_one_of_several_versions_shows_another(alice: User, chat: Conversation) -> None:
    turn = send(alice, chat, "Hello")
    finish(Run.objects.get())
    answer = turn.messages.get(role="assistant")
    again = actions.regenerate(alice, answer)

    tree_actions.delete_message(again)

    assert visible(lanes_of(chat)[0]) == ["Hello", "An answer."]


def test_continuing_goes_on_from_the_text_so_far(alice: User, chat: Conversation) -> None:
    turn = send(alice, chat, "Count")
    finish(Run.objects.get(), "One, two")

    more = actions.continue_answer(alice, turn.messages.get(role="assistant"))

    assert more.run is not None and more.run.prefix == "One, two"
    sent = more.run.wire_request.body["messages"]
    assert [(m["role"], m["content"]) for m in sent[:2]] == [("user", "Count"), ("assistant", "One, two")]


def test_raising_the_limit_doubles_it_for_the_lane(alice: User, chat: Conversation) -> None:
    Lane.objects.update(parameters={"max_tokens": 24})
    turn = send(alice, chat, "Count")
    finish(Run.objects.get(), "One")

    more = actions.continue_answer(alice, turn.messages.get(role="assistant"), raise_limit=True)

    assert more.run is not None and more.run.wire_request.body["max_tokens"] == 48
    assert lanes_of(chat)[0].parameters == {"max_tokens": 48}


def test_asking_now_repeats_what_the_others_were_asked(alice: User, comparison: Conversation) -> None:
    plain, echo = lanes_of(comparison)
    turn = actions.send_message(alice, comparison, "Only for one", [plain.pk], "x")

    actions.ask_now(alice, echo, turn.row)

    assert visible(lanes_of(comparison)[1]) == ["Only for one", ""]


def test_without_a_usable_key_nothing_is_written(alice: User, chat: Conversation) -> None:
    Endpoint.objects.update(needs_key=True)

    with pytest.raises(NoKey, match="needs a Hugging Face token"):
        send(alice, chat, "Hello")

    assert not Turn.objects.exists()


def test_key_without_credit_is_named_where_there_is_no_other(alice: User) -> None:
    router = make_endpoint()
    first_of_month = datetime(2031, 3, 1, tzinfo=UTC)
    make_shared_key(router, alice, parked_until=first_of_month)
    chat = make_conversation(alice, "org/model", endpoint=router)

    with pytest.raises(NoKey, match="Team key …cd34 is out of credit; it is tried again on 1 March"):
        send(alice, chat, "Hello")


def test_more_answers_than_one_may_have_are_refused(alice: User, chat: Conversation, settings: object) -> None:
    settings.MAX_ACTIVE_RUNS = 1  # type: ignore[attr-defined]
    send(alice, chat, "One")

    with pytest.raises(Refused, match="At most 1"):
        send(alice, chat, "Two")


def test_stopping_a_chat_stops_what_waits_too(alice: User, chat: Conversation) -> None:
    send(alice, chat, "One")
    send(alice, chat, "Two")

    stopped = tree_actions.stop_conversation(chat)

    assert stopped == 2
    assert set(Run.objects.values_list("status", flat=True)) == {"stopped"}


def test_the_parameter_that_was_refused_is_left_out_on_the_next_try(alice: User, chat: Conversation) -> None:
    Lane.objects.update(parameters={"top_k": 5, "temperature": 0})
    turn = send(alice, chat, "Hello")
    finish(Run.objects.get(), "")
    Run.objects.update(status=Run.Status.FAILED, error_parameter="top_k")

    again = actions.retry_without_parameter(alice, turn.messages.get(role="assistant"))

    assert again.run is not None and "top_k" not in again.run.wire_request.body


def test_regenerating_all_asks_every_lane_that_has_an_answer(alice: User, comparison: Conversation) -> None:
    send(alice, comparison, "Hello")
    for run in Run.objects.all():
        finish(run)

    asked = all_lanes.regenerate_all(alice, comparison)

    assert asked.count == 2
    assert Run.objects.active().count() == 2


def test_continuing_all_leaves_whole_answers_alone(alice: User, comparison: Conversation) -> None:
    send(alice, comparison, "Hello")
    first, second = Run.objects.order_by("pk")
    finish(first)
    finish(second)
    Run.objects.filter(pk=second.pk).update(finish_reason="length")

    asked = all_lanes.continue_all(alice, comparison)

    assert asked.count == 1
    assert Run.objects.active().get().prefix == "An answer."


def test_one_lane_that_cannot_be_asked_keeps_no_other_from_it(alice: User, comparison: Conversation) -> None:
    send(alice, comparison, "Hello")
    for run in Run.objects.all():
        finish(run)
    Lane.objects.filter(model_id="fake/plain").update(endpoint=None)

    asked = all_lanes.regenerate_all(alice, comparison)

    assert asked.count == 1
    assert asked.refusals == ("plain (A) was not asked. plain is not available any more. Choose another model.",)


def test_who_could_not_be_asked_is_told_where_others_were(alice: User, comparison: Conversation) -> None:
    send(alice, comparison, "Hello")
    for run in Run.objects.all():
        finish(run)
    Lane.objects.filter(model_id="fake/plain").update(endpoint=None)

    done = verbs.perform(alice, comparison.pk, "regenerate_all", {})

    assert done.toast is not None and done.toast.text.startswith("plain (A) was not asked.")


def test_regenerating_an_answer_that_is_being_written_stops_it(alice: User, chat: Conversation) -> None:
    answer = send(alice, chat, "Hello").messages.get(role="assistant")
    send(alice, chat, "And then?")

    again = actions.regenerate(alice, answer)

    assert [*Run.objects.active()] == [again.run]


def test_editing_a_question_stops_what_was_being_written_below_it(alice: User, chat: Conversation) -> None:
    question = send(alice, chat, "Hello").messages.get(role="user")

    edited = actions.edit_message(alice, question, "Good morning")

    assert [run.message.parent for run in Run.objects.active()] == [edited.parent]


def test_a_refused_edit_stops_nothing(alice: User, chat: Conversation) -> None:
    question = send(alice, chat, "Hello").messages.get(role="user")
    Lane.objects.update(endpoint=None)

    with pytest.raises(Refused):
        actions.edit_message(alice, question, "Good morning")

    assert Run.objects.active().count() == 1


@pytest.mark.parametrize("verb", ["regenerate", "continue_answer", "raise_limit", "drop_parameter"])
def test_a_second_click_asks_nothing_more(alice: User, chat: Conversation, verb: str) -> None:
    Lane.objects.update(parameters={"top_k": 5, "max_tokens": 100})
    answer = send(alice, chat, "Hello").messages.get(role="assistant")
    finish(answer.run)
    Run.objects.update(error_parameter="top_k")

    for _ in range(2):
        verbs.perform(alice, chat.pk, verb, {"message": answer.pk})

    assert Run.objects.active().count() == 1
    assert Lane.objects.get().parameters["max_tokens"] == (200 if verb == "raise_limit" else 100)


def test_a_name_given_while_a_message_is_sent_stays(alice: User, chat: Conversation) -> None:
    Conversation.objects.filter(pk=chat.pk).update(title="Named meanwhile")

    send(alice, chat, "Hello")

    chat.refresh_from_db()
    assert chat.title == "Named meanwhile"
