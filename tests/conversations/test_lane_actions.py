"""What the verbs do to lanes."""

import pytest
from django.utils import timezone

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, ModelChoice
from chat.conversations import actions, lane_actions
from chat.conversations.errors import Refused
from chat.conversations.models import Conversation, Lane, Message
from chat.runs.models import Run
from tests.conversations.conftest import lanes_of

pytestmark = pytest.mark.django_db


def asked_once(user: User, chat: Conversation) -> None:
    actions.send_message(user, chat, "Hello", [lane.pk for lane in lanes_of(chat)], "hello")
    Run.objects.update(status=Run.Status.DONE, finished_at=timezone.now(), text="An answer.", html="<p>An answer.</p>")


def test_a_new_lane_copies_the_first_ones_messages(alice: User, chat: Conversation, endpoint: Endpoint) -> None:
    asked_once(alice, chat)

    lane = lane_actions.add_lane(alice, chat, ModelChoice(endpoint.pk, "other"), copy=True)

    copied = Message.objects.filter(lane=lane).order_by("pk")
    assert [(message.role, message.text) for message in copied] == [("user", "Hello"), ("assistant", "An answer.")]
    assert copied[1].model_label == "plain"


def test_a_new_lane_can_start_empty(alice: User, chat: Conversation, endpoint: Endpoint) -> None:
    asked_once(alice, chat)

    lane = lane_actions.add_lane(alice, chat, ModelChoice(endpoint.pk, "other"), copy=False)

    assert not Message.objects.filter(lane=lane).exists()


def test_there_are_at_most_six_lanes(alice: User, chat: Conversation, endpoint: Endpoint) -> None:
    for number in range(5):
        lane_actions.add_lane(alice, chat, ModelChoice(endpoint.pk, f"m{number}"), copy=False)

    with pytest.raises(Refused, match="at most 6"):
        lane_actions.add_lane(alice, chat, ModelChoice(endpoint.pk, "seventh"), copy=False)


def test_a_removed_lane_comes_back_with_its_messages(alice: User, comparison: Conversation) -> None:
    asked_once(alice, comparison)
    first = lanes_of(comparison)[0]

    lane_actions.remove_lane(first)
    left = [lane.model_id for lane in lanes_of(comparison)]
    lane_actions.restore_lane(first)

    assert left == ["fake/echo"]
    assert [lane.head_id for lane in lanes_of(comparison)][0] == first.head_id


def test_the_last_lane_stays(alice: User, chat: Conversation) -> None:
    with pytest.raises(Refused, match="at least one"):
        lane_actions.remove_lane(lanes_of(chat)[0])


def test_a_lane_moves_past_its_neighbour_and_no_further(alice: User, comparison: Conversation) -> None:
    first = lanes_of(comparison)[0]

    lane_actions.move_lane(first, 1)
    lane_actions.move_lane(first, 1)

    assert [lane.model_id for lane in lanes_of(comparison)] == ["fake/echo", "fake/plain"]


def test_changing_the_model_keeps_who_wrote_what(alice: User, chat: Conversation, endpoint: Endpoint) -> None:
    asked_once(alice, chat)

    lane_actions.change_model(alice, lanes_of(chat)[0], ModelChoice(endpoint.pk, "org/new"))

    assert Message.objects.get(role="assistant").model_label == "plain"
    alice.refresh_from_db()
    assert alice.last_model == "fake@org/new"


def test_parameters_are_applied_to_all_lanes_but_not_system_prompts(alice: User, comparison: Conversation) -> None:
    first = lanes_of(comparison)[0]
    lane_actions.set_settings(first, "Be terse.", {"temperature": 0})
    first.refresh_from_db()

    lane_actions.apply_to_all(first)

    assert [lane.parameters for lane in lanes_of(comparison)] == [{"temperature": 0}, {"temperature": 0}]
    assert [lane.system_prompt for lane in lanes_of(comparison)] == ["Be terse.", ""]


def test_a_duplicate_shares_no_message_with_its_original(alice: User, chat: Conversation) -> None:
    asked_once(alice, chat)
    original = lanes_of(chat)[0]

    copy = lane_actions.duplicate_lane(alice, original)

    copy = Lane.objects.get(pk=copy.pk)
    assert copy.head_id != original.head_id
    assert copy.model_id == original.model_id
