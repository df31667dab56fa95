"""The draft that a new chat is, and the list of chats."""

import pytest

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, ModelChoice
from chat.conversations import list_actions
from chat.conversations.models import Conversation, Lane, Turn
from tests.factories import make_conversation

pytestmark = pytest.mark.django_db


def models_of(conversation: Conversation) -> list[str]:
    return list(Lane.objects.live().filter(conversation=conversation).values_list("model_id", flat=True))


def choice(endpoint: Endpoint, model: str) -> ModelChoice:
    return ModelChoice(endpoint.pk, model)


def test_a_person_has_one_draft(alice: User, endpoint: Endpoint) -> None:
    first = list_actions.draft_for(alice, [choice(endpoint, "a")])

    second = list_actions.draft_for(alice, [choice(endpoint, "a")])

    assert first == second


def test_an_untouched_draft_follows_the_default(alice: User, endpoint: Endpoint) -> None:
    list_actions.draft_for(alice, [choice(endpoint, "local")])

    draft = list_actions.draft_for(alice, [choice(endpoint, "with-a-key")])

    assert models_of(draft) == ["with-a-key"]


def test_a_draft_that_was_asked_for_keeps_its_models(alice: User, endpoint: Endpoint) -> None:
    list_actions.fresh_draft(alice, [choice(endpoint, "a"), choice(endpoint, "b")])

    draft = list_actions.draft_for(alice, [choice(endpoint, "default")])

    assert models_of(draft) == ["a", "b"]


def test_what_was_typed_into_a_replaced_draft_is_in_the_list(alice: User, endpoint: Endpoint) -> None:
    list_actions.fresh_draft(alice, [choice(endpoint, "a")], "A long thought")

    list_actions.fresh_draft(alice, [choice(endpoint, "b")], "Another")

    kept = Conversation.objects.listed(alice).get()
    assert (kept.title, kept.composer_text) == ("A long thought", "A long thought")


def test_a_deleted_chat_comes_back_whole(alice: User, chat: Conversation) -> None:
    list_actions.delete(chat)
    gone = Conversation.objects.listed(alice).exists()

    list_actions.restore(chat)

    assert not gone
    assert Conversation.objects.listed(alice).get() == chat


def test_an_empty_title_leaves_the_old_one(alice: User, chat: Conversation) -> None:
    list_actions.rename(chat, "Tides")
    chat.refresh_from_db()

    list_actions.rename(chat, "   ")

    chat.refresh_from_db()
    assert chat.title == "Tides"


def test_a_draft_saved_late_does_not_bring_back_what_was_sent(alice: User, endpoint: Endpoint) -> None:
    chat = make_conversation(alice, endpoint=endpoint)
    Turn.objects.create(conversation=chat, owner=alice, client_id="sent", row=0)

    list_actions.keep_typed(chat, "Sent already", "sent")
    list_actions.keep_typed(chat, "Being typed", "next")
    list_actions.keep_typed(chat, "Sent already", "sent")

    chat.refresh_from_db()
    assert chat.composer_text == "Being typed"
