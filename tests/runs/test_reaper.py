"""What dead processes leave behind is ended by the living, with the text that the journal has."""

import os
import socket
import subprocess

import pytest
from django.utils import timezone

from chat.accounts.models import User
from chat.conversations import actions
from chat.conversations.models import Conversation
from chat.runs import reaper
from chat.runs.models import STALE_AFTER, Process, Run, RunChunk
from tests.conversations.conftest import lanes_of

pytestmark = pytest.mark.django_db


def make_process(pid: int, silent: bool = False) -> Process:
    process = Process.objects.create(host=socket.gethostname(), pid=pid)
    if silent:
        Process.objects.filter(pk=process.pk).update(heartbeat_at=timezone.now() - 2 * STALE_AFTER)
    return process


def left_behind(user: User, chat: Conversation, process: Process, status: str = "streaming") -> Run:
    actions.send_message(user, chat, "Hello", [lane.pk for lane in lanes_of(chat)], f"of {process.pk}")
    run = Run.objects.get()
    Run.objects.filter(pk=run.pk).update(status=status, process=process, started_at=timezone.now())
    RunChunk.objects.bulk_create(
        [
            RunChunk(run=run, seq=0, kind="r", text="Hm. "),
            RunChunk(run=run, seq=1, kind="t", text="The *sea* "),
            RunChunk(run=run, seq=2, kind="t", text="is"),
        ]
    )
    return run


@pytest.fixture
def own(db: None) -> Process:
    """The process that reaps."""
    return make_process(os.getpid())


def ended_pid() -> int:
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def test_a_run_of_a_silent_process_is_interrupted_with_its_text(alice: User, chat: Conversation, own: Process) -> None:
    run = left_behind(alice, chat, make_process(1, silent=True))

    reaper.reap(own.pk)

    run.refresh_from_db()
    assert (run.status, run.text, run.reasoning) == ("interrupted", "The *sea* is", "Hm. ")
    assert "<em>sea</em>" in run.html
    assert not RunChunk.objects.exists()


def test_a_run_of_a_living_process_is_left_alone(alice: User, chat: Conversation, own: Process) -> None:
    run = left_behind(alice, chat, make_process(os.getpid()))

    reaper.reap(own.pk)

    run.refresh_from_db()
    assert run.status == "streaming"


def test_a_stopped_run_keeps_its_status_and_gets_its_text(alice: User, chat: Conversation, own: Process) -> None:
    run = left_behind(alice, chat, make_process(1, silent=True), status="stopped")

    reaper.reap(own.pk)

    run.refresh_from_db()
    assert (run.status, run.text) == ("stopped", "The *sea* is")


def test_a_process_that_is_gone_need_not_fall_silent_first(alice: User, chat: Conversation, own: Process) -> None:
    run = left_behind(alice, chat, make_process(ended_pid()))

    reaper.bury_the_dead(own.pk)
    reaper.reap(own.pk)

    run.refresh_from_db()
    assert run.status == "interrupted"


def test_what_waited_behind_an_interrupted_answer_goes_on(alice: User, chat: Conversation, own: Process) -> None:
    run = left_behind(alice, chat, make_process(1, silent=True))
    actions.send_message(alice, chat, "Next", [lane.pk for lane in lanes_of(chat)], "next")

    reaper.reap(own.pk)

    waiting = Run.objects.exclude(pk=run.pk).get()
    assert not waiting.is_waiting
    assert waiting.wire_request.body["messages"][1]["content"] == "The *sea* is"
