"""What one page is sent, whatever the order in which things happen: each turn once, each answer to its end."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest

from chat import metrics
from chat.accounts.models import User
from chat.conversations import actions, list_actions, tree_actions
from chat.conversations.models import Conversation, Message, Turn
from chat.conversations.watching import WatchedRun
from chat.database import in_database
from chat.providers.events import ReasoningDelta, TextDelta
from chat.pump import Pump
from chat.runs import broadcast, supervisor
from chat.runs.actions import settle_run
from chat.runs.broadcast import LanesChanged, TurnAdded
from chat.runs.draft import Draft
from chat.runs.models import Process, Run, RunChunk
from chat.runs.outcome import Outcome
from tests.conversations.conftest import lanes_of
from tests.waiting import eventually


class Screen:
    """A page that takes every frame and keeps all it was sent."""

    def __init__(self, user: User, conversation: Conversation) -> None:
        self.html = ""
        self.pump = Pump(user, conversation, self._take)
        self.pump.follow()

    def show(self) -> None:
        """Begin to take frames."""
        self.pumping = asyncio.create_task(self.pump.run())

    async def greeted(self, stamp: str) -> None:
        """Say hello as a page that shows the chat as of ``stamp``, and wait until the pump has turned to it."""
        self.pump.greet(stamp)
        self.show()
        await eventually(lambda: not self.pump._events)

    async def until(self, part: str) -> str:
        await eventually(lambda: part in self.html)
        return self.html

    async def _take(self, frame: str) -> None:
        self.html += frame
        found = re.match(r"<!--f:(\d+)-->", frame)
        assert found is not None
        self.pump.flow.acknowledge(int(found[1]))


Open = Callable[[], Screen]


@pytest.fixture
async def open_screen(transactional_db: None, alice: User, chat: Conversation) -> AsyncIterator[Open]:
    """Open a page on the chat; it hears of whatever happens from then on."""
    opened: list[Screen] = []

    def open_one() -> Screen:
        opened.append(Screen(alice, chat))
        return opened[-1]

    yield open_one
    for screen in opened:
        screen.pumping.cancel()
        screen.pump.leave()


def send(user: User, chat: Conversation, text: str) -> Turn:
    return actions.send_message(user, chat, text, [lane.pk for lane in lanes_of(chat)], uuid4().hex)


def answer_of(turn: Turn) -> Message:
    return turn.messages.select_related("run", "lane", "turn", "parent").get(role="assistant")


def run_of(turn: Turn) -> Run:
    return Run.objects.get(message__turn=turn)


def end(run: Run, text: str) -> None:
    Run.objects.move(run.pk, Run.Status.QUEUED, Run.Status.STREAMING)
    settle_run(run.pk, Outcome(Run.Status.DONE, {"text": text, "html": f"<p>{text}</p>"}), None)


async def test_a_turn_that_comes_with_changed_lanes_is_shown_once(
    open_screen: Open, alice: User, chat: Conversation
) -> None:
    screen = open_screen()

    def edit_and_send() -> None:
        first = send(alice, chat, "One")
        actions.edit_message(alice, first.messages.select_related("lane", "turn").get(role="user"), "First")
        send(alice, chat, "The second question")

    await in_database(edit_and_send)
    screen.show()
    html = await screen.until("The second question")

    assert html.count("The second question") == 1


async def test_turns_announced_in_the_wrong_order_stand_in_the_right_one(
    open_screen: Open, alice: User, chat: Conversation
) -> None:
    first, second, third = [await in_database(send, alice, chat, text) for text in ("One", "Two", "Three")]
    screen = open_screen()

    for turn in (first, third, second):
        broadcast.publish(chat.topic, TurnAdded(turn.pk))
    screen.show()
    html = await screen.until("Three")

    shown = html[html.rindex('id="lanes"') :]
    assert [shown.count(text) for text in (">One<", ">Two<", ">Three<")] == [1, 1, 1]
    assert shown.index(">Two<") < shown.index(">Three<")


async def test_text_that_comes_before_its_turn_is_shown_is_not_lost(
    engine: None, open_screen: Open, alice: User, chat: Conversation
) -> None:
    running = supervisor.engine()
    assert running is not None
    running.accepting = False
    first, second = [await in_database(send, alice, chat, text) for text in ("One", "Two")]
    screen = open_screen()
    run = await in_database(run_of, second)
    draft = running.drafts[run.pk] = Draft(run.pk, chat.topic)
    draft.apply(TextDelta("An early word. "))

    broadcast.publish(chat.topic, TurnAdded(first.pk))
    screen.show()
    await screen.until(">One<")
    broadcast.publish(chat.topic, TurnAdded(second.pk))
    await screen.until(">Two<")
    html = await screen.until("An early word.")

    assert html.rindex("An early word.") > html.index(">Two<")
    del running.drafts[run.pk]


async def test_a_draft_of_another_chat_is_not_shown_whatever_its_run(
    engine: None, open_screen: Open, alice: User, chat: Conversation
) -> None:
    running = supervisor.engine()
    assert running is not None
    running.accepting = False
    turn = await in_database(send, alice, chat, "One")
    run = await in_database(run_of, turn)
    draft = running.drafts[run.pk] = Draft(run.pk, "conversation.of-somebody-else")
    draft.apply(TextDelta("canary"))
    screen = open_screen()
    broadcast.publish(chat.topic, TurnAdded(turn.pk))
    screen.show()
    await screen.until(">One<")
    screen.pump.reply("<p>the next frame</p>")
    await screen.until("the next frame")
    screen.pump.reply("<p>and another</p>")

    assert "canary" not in await screen.until("and another")
    del running.drafts[run.pk]


async def test_an_answer_whose_draft_was_not_complete_is_shown_as_it_is_stored(
    engine: None, open_screen: Open, alice: User, chat: Conversation
) -> None:
    running = supervisor.engine()
    assert running is not None
    running.accepting = False
    turn = await in_database(send, alice, chat, "One")
    run = await in_database(run_of, turn)
    draft = running.drafts[run.pk] = Draft(run.pk, chat.topic)
    draft.apply(TextDelta("Half"))
    screen = open_screen()
    broadcast.publish(chat.topic, TurnAdded(turn.pk))
    screen.show()
    await screen.until("Half")

    await in_database(lambda: Run.objects.filter(pk=run.pk).update(process=None))
    await in_database(end, run, "Half and the rest.")

    assert "Half and the rest." in await screen.until('data-status="done"')
    del running.drafts[run.pk]


async def test_an_answer_that_another_process_writes_is_shown_as_far_as_it_is_stored(
    engine: None, open_screen: Open, alice: User, chat: Conversation
) -> None:
    running = supervisor.engine()
    assert running is not None
    running.accepting = False

    def write_elsewhere() -> None:
        run = run_of(send(alice, chat, "One"))
        other = Process.objects.create(host="elsewhere", pid=1)
        Run.objects.move(run.pk, Run.Status.QUEUED, Run.Status.STREAMING, process_id=other.pk)
        RunChunk.objects.create(run=run, seq=0, kind=RunChunk.Kind.TEXT, text="So far")

    await in_database(write_elsewhere)
    screen = open_screen()
    broadcast.publish(chat.topic, LanesChanged())
    screen.show()

    assert "So far" in await screen.until("So far")


async def test_an_answer_shown_between_its_stop_and_its_end_gets_its_text(
    open_screen: Open, alice: User, chat: Conversation
) -> None:
    run = await in_database(lambda: run_of(send(alice, chat, "One")))
    await in_database(lambda: Run.objects.move(run.pk, Run.Status.QUEUED, Run.Status.STREAMING))
    await in_database(tree_actions.stop, run.pk)
    screen = open_screen()
    broadcast.publish(chat.topic, LanesChanged())
    screen.show()
    await screen.until('id="lanes"')

    await in_database(settle_run, run.pk, Outcome(Run.Status.STOPPED, {"text": "Half", "html": "<p>Half</p>"}), None)

    assert "Half" in await screen.until("Half")


async def test_a_page_that_says_hello_between_stop_and_end_gets_the_text(
    open_screen: Open, alice: User, chat: Conversation
) -> None:
    run = await in_database(lambda: run_of(send(alice, chat, "One")))
    await in_database(lambda: Run.objects.move(run.pk, Run.Status.QUEUED, Run.Status.STREAMING))
    await in_database(tree_actions.stop, run.pk)
    screen = open_screen()
    await in_database(chat.refresh_from_db)
    await screen.greeted(chat.stamp)

    await in_database(settle_run, run.pk, Outcome(Run.Status.STOPPED, {"text": "Half", "html": "<p>Half</p>"}), None)

    assert 'id="lanes"' not in await screen.until("Half")


async def test_an_end_right_behind_a_hello_is_shown(open_screen: Open, alice: User, chat: Conversation) -> None:
    run = await in_database(lambda: run_of(send(alice, chat, "One")))
    await in_database(chat.refresh_from_db)
    screen = open_screen()
    screen.show()

    screen.pump.greet(chat.stamp)
    await in_database(end, run, "The answer.")

    assert "The answer." in await screen.until("The answer.")


async def test_a_page_that_shows_everything_is_sent_nothing_anew(
    open_screen: Open, alice: User, chat: Conversation
) -> None:
    first = await in_database(send, alice, chat, "One")
    await in_database(end, await in_database(run_of, first), "An answer.")
    await in_database(chat.refresh_from_db)
    screen = open_screen()

    await screen.greeted(chat.stamp)
    await in_database(send, alice, chat, "Two")
    html = await screen.until(">Two<")

    assert "An answer." not in html and 'id="lanes"' not in html


async def test_a_page_is_told_at_hello_that_its_chat_is_no_longer_at_work(
    open_screen: Open, alice: User, chat: Conversation
) -> None:
    """Its list may have been drawn before the answer ended, and the rest after."""
    await in_database(end, await in_database(lambda: run_of(send(alice, chat, "One"))), "An answer.")
    await in_database(chat.refresh_from_db)
    screen = open_screen()

    await screen.greeted(chat.stamp)

    html = await screen.until(f"#chat-mark-{chat.pk}")
    assert re.search(rf'#chat-mark-{chat.pk}[^>]*>\s*<span[^>]* data-mark=""', html)


async def test_a_page_that_stayed_open_over_delete_and_undo_shows_how_answers_ended(
    open_screen: Open, alice: User, chat: Conversation
) -> None:
    run = await in_database(lambda: run_of(send(alice, chat, "One")))
    await in_database(lambda: Run.objects.move(run.pk, Run.Status.QUEUED, Run.Status.STREAMING))
    screen = open_screen()
    await in_database(chat.refresh_from_db)
    await screen.greeted(chat.stamp)

    await in_database(list_actions.delete, chat)
    await in_database(settle_run, run.pk, Outcome(Run.Status.STOPPED, {"text": "Half", "html": "<p>Half</p>"}), None)
    await in_database(list_actions.restore, chat)

    assert "Half" in await screen.until('data-status="stopped"')


def test_thoughts_that_come_all_at_once_with_the_end_are_unfolded() -> None:
    draft = Draft(7, "t")
    watched = WatchedRun(draft, 1)
    watched.take()
    draft.apply(ReasoningDelta("Hm."))
    draft.apply(TextDelta("So."))
    draft.end()

    html = watched.last()

    assert 'id="answer-7-reasoning"' in html
    assert "Hm." in html[html.index('id="answer-7-reasoning"') :]


async def test_each_frame_is_counted(open_screen: Open, chat: Conversation) -> None:
    before = metrics.REGISTRY.get_sample_value("playground_frames_sent_total") or 0
    screen = open_screen()
    screen.show()
    screen.pump.reply("<p>One</p>")
    await screen.until("One")
    screen.pump.reply("<p>Two</p>")
    await screen.until("Two")

    await eventually(lambda: metrics.REGISTRY.get_sample_value("playground_frames_sent_total") == before + 2)


async def test_an_answer_that_ends_changes_one_mark_of_the_list(
    open_screen: Open, alice: User, chat: Conversation
) -> None:
    run = await in_database(lambda: run_of(send(alice, chat, "One")))
    screen = open_screen()
    screen.show()

    await in_database(end, run, "The answer.")
    html = await screen.until(f"#chat-mark-{chat.pk}")

    assert 'id="chat-list"' not in html
