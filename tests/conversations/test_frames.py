"""What a socket is sent is what a reload shows, and what it costs does not grow with the chat."""

import re

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from chat.accounts.models import User
from chat.conversations import frames, tree_actions
from chat.conversations.composer import Known, composer
from chat.conversations.history import recent_paths, window
from chat.conversations.models import Conversation, Lane, Message
from chat.conversations.presenting import conversation_context
from chat.patterns import STATES
from chat.runs.models import Run
from tests.conversations.conftest import lanes_of
from tests.conversations.test_actions import finish, send

USAGE = {"prompt_tokens": 400, "completion_tokens": 150, "reasoning_tokens": 50}


def reloaded(user: User, conversation: Conversation) -> str:
    return render_to_string("chat/conversations/_lanes.html", conversation_context(user, conversation, live=True))


def cells(html: str) -> list[str]:
    """The cells of turns in some HTML, whitespace between elements aside."""
    return [re.sub(r">\s+", ">", cell) for cell in re.findall(r"<section class=\"turn\".*?</section>", html, re.DOTALL)]


def test_a_new_turn_looks_as_after_a_reload(alice: User, comparison: Conversation) -> None:
    send(alice, comparison, "First")
    for run in Run.objects.all():
        finish(run)
    second = send(alice, comparison, "<b>Second</b>")

    scene = frames.turn_scene(comparison, second)

    assert len(cells(scene.html)) == 2
    assert all(cell in cells(reloaded(alice, comparison)) for cell in cells(scene.html))
    assert set(scene.unfinished) == set(Run.objects.unsettled().values_list("pk", flat=True))


def test_a_lane_that_a_new_turn_leaves_out_can_be_asked(alice: User, comparison: Conversation) -> None:
    turn = send(alice, comparison, "First")
    left_out = lanes_of(comparison)[1]
    Message.objects.filter(lane=left_out).update(deleted_at=turn.created_at)
    Lane.objects.filter(pk=left_out.pk).update(head=None)

    scene = frames.turn_scene(comparison, turn)

    assert "Ask now" in cells(scene.html)[1]
    assert cells(scene.html) == cells(reloaded(alice, comparison))


def test_a_turn_that_was_taken_back_leaves_no_cell(alice: User, chat: Conversation) -> None:
    turn = send(alice, chat, "First")
    tree_actions.take_back(turn)

    assert cells(frames.turn_scene(chat, turn).html) == []


@pytest.mark.parametrize("counted", [[], [0], [1], [0, 2]], ids=str)
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_the_end_of_a_path_tells_what_the_whole_tells(
    alice: User, comparison: Conversation, turns: int, counted: list[int]
) -> None:
    for number in range(turns):
        send(alice, comparison, f"Question {number}, {'long ' * number}")
        for run in Run.objects.filter(finished_at=None):
            finish(run, "An answer. " * 10)
            Run.objects.filter(pk=run.pk).update(**(USAGE if number in counted else {}))
    Lane.objects.update(system_prompt="Be terse and kind.")

    known = Known.of(alice, comparison)
    short = composer(comparison, known, recent_paths(known.lanes))
    whole = composer(comparison, known, window(known.lanes).messages())

    assert short.context_used == whole.context_used


@pytest.mark.parametrize("state", STATES)
def test_what_an_answer_shows_is_read_with_all_others(alice: User, chat: Conversation, state: str) -> None:
    fields = {name: value for name, value in STATES[state].items() if name != "after_id"} | {"text": "Text."}

    def queries() -> int:
        send(alice, chat, "And then?")
        Run.objects.update(**fields)
        with CaptureQueriesContext(connection) as captured:
            frames.lanes_scene(alice, chat)
        return len(captured)

    assert queries() == queries() == queries()


def test_the_end_of_an_answer_looks_as_after_a_reload(alice: User, chat: Conversation) -> None:
    send(alice, chat, "First")
    run = Run.objects.get()
    finish(run)
    Run.objects.filter(pk=run.pk).update(html="<p>An answer.</p>", reasoning_html="<p>Hm.</p>", **USAGE)

    with CaptureQueriesContext(connection) as queries:
        html = frames.ended_answer(run.pk, whole=True)

    whole = re.sub(r">\s+", ">", html.replace(' hx-swap-oob="true"', "").strip())
    assert whole in cells(reloaded(alice, chat))[0]
    assert len(queries) == 2
    assert f'id="answer-{run.pk}-reasoning-label"' in frames.ended_answer(run.pk, whole=False)


def test_an_answer_that_was_deleted_has_no_end(alice: User, chat: Conversation) -> None:
    turn = send(alice, chat, "First")
    Message.objects.update(deleted_at=turn.created_at)

    assert frames.ended_answer(Run.objects.get().pk, whole=True) == ""
