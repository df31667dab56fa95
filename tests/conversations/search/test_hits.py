"""Search finds what a person can still reach in their own chats, and nothing else, on either database."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations import actions, lane_actions, list_actions, tree_actions
from chat.conversations.models import Conversation, Lane, Message
from chat.conversations.search import index
from chat.conversations.search.hits import Hit, search_conversations
from chat.runs.actions import claim_run, settle_run
from chat.runs.models import Process, Run
from chat.runs.outcome import Outcome
from tests.conversations.conftest import lanes_of
from tests.conversations.search.test_words import shown
from tests.factories import make_conversation, make_local_endpoint, make_user


def ask(chat: Conversation, text: str) -> Message:
    """Send a message to the first lane; return the answer that waits to be written."""
    [lane, *_] = lanes_of(chat)
    actions.send_message(chat.owner, chat, text, [lane.pk], f"{timezone.now()}")
    return Message.objects.select_related("run", "lane__conversation", "parent__lane__conversation", "turn").latest(
        "pk"
    )


def settle(answer: Message, text: str) -> Message:
    process = Process.objects.create(host="here", pid=1)
    assert answer.run_id and claim_run(answer.run_id, process.pk)
    settle_run(answer.run_id, Outcome(Run.Status.DONE, {"text": text, "reasoning": "cogitation"}), process.pk)
    return answer


def found(user: User, typed: str) -> list[str]:
    return [shown(hit.excerpt) or shown(hit.title) for hit in search_conversations(user, typed)]


def only(user: User, typed: str) -> Hit:
    [hit] = search_conversations(user, typed)
    return hit


def test_question_is_found_when_it_is_sent(alice: User, chat: Conversation) -> None:
    answer = ask(chat, "Why are there tides?")

    hit = only(alice, "tides")

    assert (hit.asked, shown(hit.excerpt)) == (True, "Why are there [tides]?")
    assert hit.url == f"/c/{chat.pk}/?message={answer.parent_id}#message-{answer.parent_id}"


def test_answer_is_found_once_it_is_settled(alice: User, chat: Conversation) -> None:
    answer = ask(chat, "Why?")
    Run.objects.filter(message=answer).update(text="The moon")
    assert found(alice, "moon") == []

    settle(answer, "The moon pulls.")

    assert (only(alice, "moon").author, found(alice, "moon")) == ("plain", ["The [moon] pulls."])
    assert found(alice, "cogitation") == []


def test_title_is_found_under_its_newest_name(alice: User, chat: Conversation) -> None:
    list_actions.rename(chat, "About tides")
    list_actions.rename(chat, "About entropy")

    assert found(alice, "entropy") == ["About [entropy]"]
    assert found(alice, "tides") == []


def test_title_stands_before_a_mention(alice: User, chat: Conversation, endpoint: Endpoint) -> None:
    ask(chat, "A word on tides")
    list_actions.rename(chat, "Something else")
    make_conversation(alice, endpoint=endpoint, title="Tides")

    assert found(alice, "tides") == ["[Tides]", "A word on [tides]"]


def test_newer_stands_before_older_of_the_same_words(alice: User, chat: Conversation, endpoint: Endpoint) -> None:
    other = make_conversation(alice, endpoint=endpoint, title="Other")
    ask(other, "tides")
    ask(chat, "tides")
    Message.objects.filter(lane__conversation=other).update(created_at=timezone.now() - timedelta(days=400))

    assert [hit.conversation for hit in search_conversations(alice, "tides -title")] == [chat, other]


def test_edited_answer_is_found_by_both_of_its_versions(alice: User, chat: Conversation) -> None:
    answer = settle(ask(chat, "Why?"), "The moon pulls.")
    actions.edit_message(
        alice, Message.objects.select_related("run", "lane", "turn").get(pk=answer.pk), "The sun pulls."
    )

    assert not only(alice, "sun").elsewhere
    assert only(alice, "moon").elsewhere


def test_deleted_message_and_what_stands_below_it_are_not_found_until_restored(alice: User, chat: Conversation) -> None:
    answer = settle(ask(chat, "First question"), "First answer")
    settle(ask(chat, "Second question"), "Second answer")

    tree_actions.delete_message(Message.objects.get(pk=answer.pk))

    assert found(alice, "first answer") == found(alice, "second answer") == found(alice, "second question") == []
    tree_actions.restore_message(Message.objects.get(pk=answer.pk))
    assert found(alice, '"second answer"') == ["[Second answer]"]


def test_removed_lane_is_not_found_until_restored(alice: User, comparison: Conversation) -> None:
    ask(comparison, "Why are there tides?")
    list_actions.rename(comparison, "x")
    [lane, _] = lanes_of(comparison)

    lane_actions.remove_lane(lane)

    assert found(alice, "tides") == []
    lane_actions.restore_lane(lane)
    assert len(found(alice, "tides")) == 1


def test_deleted_chat_is_not_found_until_restored(alice: User, chat: Conversation) -> None:
    ask(chat, "Why are there tides?")

    list_actions.delete(chat)

    assert found(alice, "tides") == []
    list_actions.restore(chat)
    assert len(found(alice, "tides")) == 1


def test_drafts_are_not_found(alice: User, chat: Conversation) -> None:
    Conversation.objects.filter(pk=chat.pk).update(is_draft=True, title="Tides", composer_text="tides")

    assert found(alice, "tides") == []


def test_nobody_finds_what_others_wrote(alice: User, charlie: User, chat: Conversation) -> None:
    settle(ask(chat, "Why are there tides?"), "The moon pulls.")

    assert found(charlie, "tides") == found(charlie, "moon") == found(charlie, f"u{alice.pk}") == []
    assert found(alice, f"u{alice.pk}") == []


def test_what_is_destroyed_leaves_the_index(alice: User, chat: Conversation) -> None:
    ask(chat, "Why are there tides?")

    alice.delete()

    with connection.cursor() as cursor:
        for table in ("chat_message_search", "chat_title_search"):
            cursor.execute(f"SELECT count(*) FROM {table}")
            assert cursor.fetchone() == (0,)


def test_index_can_be_built_anew(alice: User, chat: Conversation) -> None:
    settle(ask(chat, "Why are there tides?"), "The moon pulls.")

    index.remove(connection)
    index.build(connection)

    assert found(alice, "tides -moon") != [] != found(alice, "moon")
    settle(ask(chat, "And the sun?"), "Less.")
    assert found(alice, "less") == ["[Less]."]


def test_index_is_kept_after_all_migrations(chat: Conversation) -> None:
    assert index.is_kept(connection)
    assert not index.mend(connection)


def test_index_that_lost_a_trigger_is_built_anew(alice: User, chat: Conversation) -> None:
    with connection.cursor() as cursor:
        on = " ON chat_message" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER chat_search_message_made{on}")
    ask(chat, "Why are there tides?")

    assert only(alice, "tides").message_id is None

    assert index.mend(connection)

    assert only(alice, "tides").message_id is not None
    ask(chat, "And the sun?")
    assert only(alice, "sun").message_id is not None


@pytest.mark.postgres
def test_who_writes_while_migrations_run_is_found(alice: User, chat: Conversation) -> None:
    index.stop_keeping("default", plan=["a migration"])
    ask(chat, "Why are there tides?")
    index.go_on_keeping("default", plan=["a migration"])

    assert only(alice, "tides").message_id is not None


def test_chats_are_found_behind_hundreds_of_newer_matches_in_one(
    alice: User, chat: Conversation, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.conversations.search.hits.WEIGHED", 2)
    monkeypatch.setattr("chat.conversations.search.hits.LISTED", 2)
    other = make_conversation(alice, endpoint=endpoint)
    ask(other, "tides")
    for number in range(3):
        ask(chat, f"tides {number}")

    assert {hit.conversation for hit in search_conversations(alice, "tides")} == {chat, other}


def test_long_chat_does_not_take_the_place_of_others_among_the_newest(
    alice: User, chat: Conversation, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chat.conversations.search.hits.WEIGHED", 3)
    monkeypatch.setattr("chat.conversations.search.hits.WEIGHED_OF_A_CHAT", 2)
    monkeypatch.setattr("chat.conversations.search.hits.ROUNDS", 1)
    other = make_conversation(alice, endpoint=endpoint)
    ask(other, "tides")
    for number in range(3):
        ask(chat, f"tides {number}")

    assert {hit.conversation for hit in search_conversations(alice, "tides")} == {chat, other}


@pytest.mark.parametrize(
    "text, typed",
    [
        ("東京の天気は良い。", "天気"),
        ("東京の天気は良い。", "天気 東京"),
        ("サーバーを再起動する", "再起動"),
        ("한국어를 공부한다", "한국어"),
        ("ฉันรักภาษาไทย", "ภาษา"),
        ("Über den Wolken", "uber"),
        ("Привет, мир", "МИР"),
        ("see https://example.com/a_path/file.py", "example"),
        ("see https://example.com/a_path/file.py", "file.py"),
        ("kubectl get pods --all-namespaces", "all-namespaces"),
        ("naïve", "naive"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("it's", "it's"),
    ],
)
def test_words_of_all_languages_are_found(alice: User, chat: Conversation, text: str, typed: str) -> None:
    ask(chat, text)
    list_actions.rename(chat, "x")

    assert "[" in "".join(found(alice, typed))


@pytest.mark.parametrize("typed", ["moon -tides", '"tides the"', "tide ", "nothing", "ides"])
def test_what_does_not_fit_is_not_found(alice: User, chat: Conversation, typed: str) -> None:
    ask(chat, "The moon makes the tides")

    assert found(alice, typed) == []


@pytest.mark.parametrize(
    "text", ["x" * 300_000, "\U0001f600" * 50_000, " ".join(map(str, range(60_000))), "字" * 150_000]
)
def test_no_text_is_too_large_to_be_sent(alice: User, chat: Conversation, text: str) -> None:
    ask(chat, text)

    search_conversations(alice, text)


SYNTAX = st.sampled_from(
    [
        '"',
        "-",
        "*",
        "AND",
        "OR",
        "NOT",
        "NEAR(",
        ")",
        ":",
        "^",
        "+",
        "'",
        "\\",
        "{",
        "}",
        "\x00",
        "%",
        "&",
        "|",
        "!",
        "<->",
        ":*",
        "東",
        "é",
        "a",
    ]
)


class AnythingTyped(TestCase):
    """Hypothesis needs a database of its own for each example."""

    def setUp(self) -> None:
        self.user = make_user("anna")
        chat = make_conversation(self.user, endpoint=make_local_endpoint(), title='"a" 東 é AND')
        Lane.objects.filter(conversation=chat).update(head=None)

    @given(
        st.one_of(
            st.text(), st.lists(SYNTAX).map("".join), st.lists(SYNTAX).map(" ".join), st.text('a- "', min_size=300)
        )
    )
    def test_never_raises(self, typed: str) -> None:
        search_conversations(self.user, typed)
