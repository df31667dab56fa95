"""Whatever people do in a comparison, a model is sent its own lane's messages and nothing else."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, ModelChoice, short_name
from chat.conversations import actions, lane_actions, tree_actions
from chat.conversations.asking import CONTINUE_PROMPT
from chat.conversations.errors import Refused
from chat.conversations.history import Tree
from chat.conversations.models import Conversation, Lane, Message
from chat.runs.models import Run
from tests.conversations.conftest import lanes_of
from tests.factories import make_conversation

VERBS = ["send", "send one", "edit", "regenerate", "delete", "add copy", "add empty", "duplicate", "change", "continue"]
STEPS = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 50)), min_size=1, max_size=14)


class Person:
    """Does what a random step says, on a random lane or message; answers come at once and name their lane."""

    def __init__(self, user: User, conversation: Conversation) -> None:
        self.user = user
        self.conversation = conversation
        self.count = 0

    def do(self, verb: str, pick: int) -> None:
        lanes = lanes_of(self.conversation)
        lane = lanes[pick % len(lanes)]
        try:
            self._do(verb, lane, lanes, pick)
        except Refused:
            assert len(lanes) == 6 or not lane.messages.exists()
        self._answer()

    def _do(self, verb: str, lane: Lane, lanes: list[Lane], pick: int) -> None:
        self.count += 1
        text, client_id = f"prompt {self.count}", f"{self.conversation.pk}-{self.count}"
        choice = ModelChoice(lane.endpoint_id, f"fake/model-{self.count}")
        message = self._message(lane, pick)
        match verb:
            case "send" | "send one":
                chosen = lanes if verb == "send" else [lane]
                actions.send_message(self.user, self.conversation, text, [one.pk for one in chosen], client_id)
            case "add copy" | "add empty":
                lane_actions.add_lane(self.user, self.conversation, choice, copy=verb == "add copy")
            case "duplicate":
                lane_actions.duplicate_lane(self.user, lane)
            case "change":
                lane_actions.change_model(self.user, lane, choice)
            case _ if message is not None:
                self._do_to_message(verb, message, text)

    def _do_to_message(self, verb: str, message: Message, text: str) -> None:
        is_answer = message.role == Message.Role.ASSISTANT
        if verb == "edit":
            actions.edit_message(self.user, message, text)
        elif verb == "delete":
            tree_actions.delete_message(message)
        elif verb == "regenerate" and is_answer:
            actions.regenerate(self.user, message)
        elif verb == "continue" and is_answer:
            actions.continue_answer(self.user, message)

    def _message(self, lane: Lane, pick: int) -> Message | None:
        tree = Tree.of(lane)
        messages = [found for found in Message.objects.of(self.user).filter(lane=lane) if tree.stands(found.pk)]
        return messages[pick % len(messages)] if messages else None

    def _answer(self) -> None:
        for run in Run.objects.active().filter(topic=self.conversation.topic).select_related("message"):
            text = f"answer {run.pk} of lane {run.message.lane_id}"
            Run.objects.filter(pk=run.pk).update(status=Run.Status.DONE, text=text, finished_at=run.created_at)


def sent_texts(run: Run) -> list[str]:
    messages: list[dict[str, Any]] = run.wire_request.body["messages"]
    return [message["content"] for message in messages if message["content"] != CONTINUE_PROMPT]


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_a_request_holds_only_messages_of_its_own_lane(alice: User, endpoint: Endpoint, steps: list[Any]) -> None:
    conversation = make_conversation(alice, "fake/a", "fake/b", endpoint=endpoint)
    person = Person(alice, conversation)

    for verb, pick in steps:
        person.do(verb, pick)

    for message in Message.objects.filter(lane__conversation=conversation, run__isnull=False).select_related("run"):
        own = {other.text for other in Message.objects.filter(lane_id=message.lane_id).select_related("run")}
        assert message.run is not None
        assert set(sent_texts(message.run)) <= own
        assert message.model_label == short_name(message.run.model_id)
        assert message.run.text == f"answer {message.run_id} of lane {message.lane_id}"
