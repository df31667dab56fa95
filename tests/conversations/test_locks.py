"""Verbs that meet over the same rows wait for each other in one order: none of them is lost to a deadlock."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from chat.accounts.models import User
from chat.conversations import actions, tree_actions
from chat.conversations.models import Conversation, Lane, Turn
from chat.runs import journal
from chat.runs.models import Run, RunChunk
from tests.conversations.conftest import lanes_of

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class Crowd:
    """Calls made one after another while somebody holds a row; each is left where it waits."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads
        self._calls: list[Future[None]] = []

    def join(self, call: Callable[[], object]) -> None:
        """Start a call and come back when it waits for a lock."""
        self._calls.append(self._threads.submit(_alone, call))
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and not self._all_wait():
            time.sleep(0.01)

    def get_through(self) -> None:
        for call in self._calls:
            call.result(30)

    def _all_wait(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            [waiting] = cursor.fetchone()
        return bool(waiting + sum(call.done() for call in self._calls) == len(self._calls))


def _alone(call: Callable[[], object]) -> None:
    try:
        call()
    finally:
        connection.close()


@contextmanager
def somebody_holding(row: QuerySet[Run]) -> Iterator[Crowd]:
    """Hold a row while others come; when it is let go, all of them must get through."""
    with ThreadPoolExecutor() as threads:
        crowd = Crowd(threads)
        with transaction.atomic():
            assert len(row.select_for_update(no_key=True)) == 1
            yield crowd
        crowd.get_through()


def ask(user: User, chat: Conversation, *lanes: Lane) -> Turn:
    return actions.send_message(user, chat, "Hi", [lane.pk for lane in lanes], f"{time.monotonic_ns()}")


def answers() -> list[Run]:
    return list(Run.objects.order_by("pk"))


def test_a_send_to_several_lanes_meets_stop_all(alice: User, comparison: Conversation) -> None:
    first, second = lanes_of(comparison)
    ask(alice, comparison, second)
    ask(alice, comparison, first)

    with somebody_holding(Run.objects.filter(pk=answers()[1].pk)) as crowd:
        crowd.join(lambda: ask(alice, comparison, first, second))
        crowd.join(lambda: tree_actions.stop_conversation(comparison))

    assert {run.status for run in answers()} == {Run.Status.STOPPED}


def test_a_message_is_taken_back_while_another_is_sent(alice: User, chat: Conversation) -> None:
    [lane] = lanes_of(chat)
    ask(alice, chat, lane)
    waiting = ask(alice, chat, lane)

    with somebody_holding(Run.objects.filter(pk=answers()[0].pk)) as crowd:
        crowd.join(lambda: ask(alice, chat, lane))
        crowd.join(lambda: tree_actions.take_back(waiting))

    assert [run.status for run in answers()] == [Run.Status.QUEUED, Run.Status.STOPPED, Run.Status.QUEUED]


def test_text_is_written_while_all_are_stopped(alice: User, comparison: Conversation) -> None:
    ask(alice, comparison, *lanes_of(comparison))
    older, newer = answers()
    chunks = [RunChunk(run=run, seq=0, kind=RunChunk.Kind.TEXT, text="Hi") for run in (newer, older)]

    with ThreadPoolExecutor() as threads, transaction.atomic():
        tree_actions.stop_conversation(comparison)
        writing = threads.submit(_alone, lambda: journal._store(chunks))
        done, _ = wait([writing], timeout=10)

    assert done == {writing}
