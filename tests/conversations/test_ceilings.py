"""How much one person may keep: counted with every change, refused at the ceiling, freed by what is deleted."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings as DjangoSettings

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, ModelChoice
from chat.conversations import actions, ceilings, lane_actions, list_actions, tree_actions
from chat.conversations.errors import Refused
from chat.conversations.models import Conversation, Lane, Message
from chat.conversations.verbs import perform
from chat.database import in_database
from chat.runs.models import Run
from chat.usage.models import StoredText
from tests.conversations.conftest import Settled, lanes_of
from tests.factories import make_administrator, make_conversation
from tests.fake_provider import FakeProvider

LONG = "x" * 600_000
Write = Callable[[User, Conversation], object]


def send(user: User, chat: Conversation, text: str = "Hello") -> Message:
    pks = [lane.pk for lane in lanes_of(chat)]
    chat.refresh_from_db()
    turn = actions.send_message(user, chat, text, pks, f"{Run.objects.count()} of {chat.pk}")
    return turn.messages.filter(role="assistant").select_related("run", "parent", "lane").latest("pk")


def send_and_finish(user: User, chat: Conversation, text: str = "Hello") -> Message:
    answer = send(user, chat, text)
    Run.objects.update(status=Run.Status.DONE, finished_at=timezone.now())
    return answer


def edit_question(user: User, chat: Conversation) -> None:
    question = send_and_finish(user, chat).parent
    assert question is not None
    actions.edit_message(user, question, "Hello again")


def edit_answer(user: User, chat: Conversation) -> None:
    actions.edit_message(user, send_and_finish(user, chat), "I say **this**.")


def type_and_send(user: User, chat: Conversation) -> None:
    list_actions.keep_typed(chat, "Hello", "")
    send(user, chat)


def begin_two_drafts(user: User, chat: Conversation) -> None:
    choice = ModelChoice(lanes_of(chat)[0].endpoint_id, "fake/echo")
    list_actions.fresh_draft(user, [choice], "Something typed")
    list_actions.fresh_draft(user, [choice], "Something else")
    list_actions.fresh_draft(user, [choice])


WRITES: dict[str, Write] = {
    "send": send,
    "edit a question": edit_question,
    "edit an answer": edit_answer,
    "regenerate": lambda user, chat: actions.regenerate(user, send_and_finish(user, chat)),
    "take back": lambda user, chat: (send(user, chat), tree_actions.take_back(send(user, chat).turn)),
    "type": lambda user, chat: list_actions.keep_typed(chat, "A draft", ""),
    "send what was typed": type_and_send,
    "drafts": begin_two_drafts,
    "system prompt": lambda user, chat: lane_actions.set_settings(lanes_of(chat)[0], "You are terse.", {}),
    "duplicate": lambda user, chat: (send_and_finish(user, chat), lane_actions.duplicate_lane(user, lanes_of(chat)[0])),
    "add a copy": lambda user, chat: (
        send_and_finish(user, chat),
        lane_actions.add_lane(user, chat, lanes_of(chat)[0].choice, copy=True),
    ),
}


def fill(user: User) -> None:
    """As much as nobody's ceiling is low enough for."""
    chat = make_conversation(user, "fake/plain", endpoint=Endpoint.objects.get(), title="Full")
    Conversation.objects.filter(pk=chat.pk).update(composer_text=LONG + LONG)
    StoredText.objects.filter(user=user).delete()


@pytest.mark.parametrize("name", WRITES)
def test_the_sum_moves_with_all_that_is_written(name: str, alice: User, chat: Conversation) -> None:
    alice.default_system_prompt = "You are kind."
    alice.save()
    before = ceilings.count_anew(alice)

    WRITES[name](alice, chat)

    moved = StoredText.objects.get().bytes
    assert moved == ceilings.count_anew(alice) != before


@pytest.mark.usefixtures("engine")
async def test_the_sum_moves_with_what_was_answered(
    alice: User, chat: Conversation, fake_provider: FakeProvider, settled: Settled
) -> None:
    def begin() -> None:
        Endpoint.objects.update(base_url=fake_provider.base_url)
        send(alice, chat)

    await in_database(begin)
    [run] = await settled()

    moved = (await in_database(StoredText.objects.get)).bytes
    assert run.text and moved == await in_database(ceilings.count_anew, alice)


@pytest.mark.parametrize(
    "name", ["send", "edit a question", "edit an answer", "regenerate", "system prompt", "duplicate"]
)
def test_nothing_more_is_stored_at_the_ceiling(
    name: str, alice: User, chat: Conversation, settings: DjangoSettings
) -> None:
    send_and_finish(alice, chat)
    fill(alice)
    settings.MAX_STORED_MB = 1

    with pytest.raises(Refused, match="Your chats hold 1 MB"):
        WRITES[name](alice, chat)


def test_what_is_typed_at_the_ceiling_is_kept(
    alice: User, chat: Conversation, settings: DjangoSettings, client: Client
) -> None:
    fill(alice)
    settings.MAX_STORED_MB = 1
    client.force_login(alice)

    page = client.post(f"/c/{chat.pk}/send/", {"text": "My prompt", "client_id": "x"}, follow=True).content.decode()

    assert "Your chats hold 1 MB" in page and "My prompt" in page
    assert not Message.objects.exists()


def test_deleting_makes_room_once_it_cannot_be_undone(
    alice: User, chat: Conversation, settings: DjangoSettings
) -> None:
    fill(alice)
    settings.MAX_STORED_MB = 1
    full = Conversation.objects.get(title="Full")
    list_actions.delete(full)
    with pytest.raises(Refused):
        send(alice, chat)
    list_actions.restore(full)
    list_actions.delete(full)
    Conversation.objects.filter(pk=full.pk).update(deleted_at=timezone.now() - timedelta(minutes=2))

    send(alice, chat)

    assert not Conversation.objects.filter(pk=full.pk).exists()
    assert StoredText.objects.get().bytes < 10_000


def test_removing_takes_the_answers_along_and_nothing_of_others(alice: User, charlie: User, chat: Conversation) -> None:
    other = make_conversation(charlie, "fake/plain", endpoint=Endpoint.objects.get())
    send_and_finish(charlie, other)
    send_and_finish(alice, chat)
    Conversation.objects.update(deleted_at=timezone.now() - timedelta(days=1))

    ceilings.remove_deleted(alice)

    assert [*Conversation.objects.all()] == [other]
    assert Run.objects.get().owner == charlie


def test_a_deleted_chat_whose_answer_has_not_ended_is_not_removed(alice: User, chat: Conversation) -> None:
    send(alice, chat)
    Conversation.objects.update(deleted_at=timezone.now() - timedelta(days=1))

    ceilings.remove_deleted(alice)

    assert Conversation.objects.exists()


def test_chats_are_counted_when_they_begin(alice: User, chat: Conversation, settings: DjangoSettings) -> None:
    settings.MAX_CHATS = 1
    Conversation.objects.update(is_draft=False)
    draft = make_conversation(alice, "fake/plain", endpoint=Endpoint.objects.get(), is_draft=True)
    fields: dict[str, Any] = {"text": "Hello", "client_id": "x", "lanes": [Lane.objects.get(conversation=draft).pk]}

    send(alice, chat)
    with pytest.raises(Refused, match="You have 1 chats"):
        perform(alice, draft.pk, "send", fields)
    Conversation.objects.filter(pk=chat.pk).update(deleted_at=timezone.now() - timedelta(minutes=2))
    Run.objects.update(status=Run.Status.DONE, finished_at=timezone.now())
    perform(alice, draft.pk, "send", fields)

    assert [*Conversation.objects.all()] == [draft]


def test_a_draft_that_cannot_be_put_away_stays(
    alice: User, chat: Conversation, settings: DjangoSettings, client: Client
) -> None:
    settings.MAX_CHATS = 1
    Conversation.objects.update(is_draft=False)
    draft = make_conversation(alice, "fake/plain", endpoint=Endpoint.objects.get(), is_draft=True)
    Conversation.objects.filter(pk=draft.pk).update(composer_text="Typed before", version=1)
    client.force_login(alice)

    page = client.get("/", {"prompt": "Another"}, follow=True).content.decode()

    assert "Typed before" in page and "the most one may keep" in page


def test_administrators_see_how_much_and_not_what(alice: User, chat: Conversation, client: Client) -> None:
    send(alice, chat, "A secret prompt")
    client.force_login(make_administrator())

    page = client.get("/admin/chat/storedtext/").content.decode()

    assert "alice" in page and "0.0" in page and "A secret prompt" not in page
