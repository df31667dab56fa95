"""The search box and the page behind it: what was found is shown as text, and leads to the message itself."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from chat.accounts.models import User
from chat.conversations import actions
from chat.conversations.models import Conversation, Lane, Message, Turn, text_parts
from tests.conversations.search.test_hits import ask, settle

HTMX = {"HX-Request": "true"}


@pytest.fixture
def browser(alice: User, client: Client) -> Client:
    client.force_login(alice)
    return client


def talk(chat: Conversation, turns: int) -> list[Message]:
    """So many questions, each below the one before."""
    lane = chat.lanes.get()
    asked: list[Message] = []
    for row in range(turns):
        turn = Turn.objects.create(conversation=chat, owner=chat.owner, client_id=f"{row}", row=row)
        fields = {"lane": lane, "turn": turn, "parent": asked[-1] if asked else None, "role": Message.Role.USER}
        asked.append(Message.objects.create(**fields, parts=text_parts(f"Question number{row}")))
    Lane.objects.filter(pk=lane.pk).update(head=asked[-1])
    return asked


def articles(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<article [^>]*id="message-(\d+)"', html)]


def test_search_box_is_answered_with_what_was_found(browser: Client, chat: Conversation) -> None:
    answer = settle(ask(chat, "Why?"), "The **moon** pulls.")

    html = browser.get("/search/?q=moon", headers=HTMX).content.decode()

    assert html.strip().startswith('<div class="chat-hits" id="chat-hits"')
    assert f'href="/c/{chat.pk}/?message={answer.pk}#message-{answer.pk}"' in html
    assert 'The <mark class="found">moon</mark> pulls.' in html


def test_search_without_script_is_a_page(browser: Client, chat: Conversation) -> None:
    ask(chat, "Why are there tides?")

    html = browser.get("/search/?q=tides").content.decode()

    assert '<main class="page' in html
    assert 'Why are there <mark class="found">tides</mark>?' in html
    assert 'name="q" value="tides"' in html


def test_nothing_found_is_a_sentence(browser: Client) -> None:
    html = browser.get("/search/?q=<b>moon", headers=HTMX).content.decode()

    assert "Nothing found for “&lt;b&gt;moon”." in html


def test_empty_box_gives_the_list_back(browser: Client, chat: Conversation) -> None:
    html = browser.get("/search/?q=", headers=HTMX).content.decode()

    assert re.sub(r"\s", "", html) == '<divclass="chat-hits"id="chat-hits"data-hits=""></div>'


def test_markup_in_titles_texts_and_names_stays_text(browser: Client, chat: Conversation) -> None:
    settle(ask(chat, "<img src=x> moon"), "<script>alert('moon')</script> <mark>moon</mark>")
    Conversation.objects.filter(pk=chat.pk).update(title="<i>moon</i>")
    Message.objects.update(model_label="<u>m</u>")

    html = browser.get("/search/?q=moon", headers=HTMX).content.decode()

    assert not re.findall(r"<(?:img|script|i|u|mark)>|<img|<script", html)
    assert '&lt;i&gt;<mark class="found">moon</mark>&lt;/i&gt;' in html


def test_page_of_a_recent_message_is_the_usual_page(browser: Client, chat: Conversation) -> None:
    asked = talk(chat, 40)

    html = browser.get(f"/c/{chat.pk}/?message={asked[-1].pk}").content.decode()

    assert articles(html) == [message.pk for message in asked[-30:]]


def test_page_of_an_earlier_message_reaches_up_to_it(browser: Client, chat: Conversation) -> None:
    asked = talk(chat, 40)

    html = browser.get(f"/c/{chat.pk}/?message={asked[3].pk}").content.decode()

    assert articles(html) == [message.pk for message in asked[2:]]


def test_page_of_a_message_very_far_up_shows_the_place(browser: Client, chat: Conversation) -> None:
    asked = talk(chat, 230)

    html = browser.get(f"/c/{chat.pk}/?message={asked[3].pk}").content.decode()

    assert asked[3].pk in articles(html)
    assert len(articles(html)) <= 30


@pytest.mark.parametrize("message", ["0", "x", "-1", "9" * 500, "%00", "²"])
def test_page_of_no_message_is_the_usual_page(browser: Client, chat: Conversation, message: str) -> None:
    asked = talk(chat, 40)

    html = browser.get(f"/c/{chat.pk}/?message={message}").content.decode()

    assert articles(html) == [message.pk for message in asked[-30:]]


def test_message_of_somebody_else_moves_nothing(browser: Client, charlie: User, chat: Conversation) -> None:
    asked = talk(chat, 40)
    other = Conversation.objects.create(owner=charlie)
    Turn.objects.filter(messages=asked[0]).update(conversation=other, owner=charlie, client_id=f"{timezone.now()}")

    html = browser.get(f"/c/{chat.pk}/?message={asked[0].pk}").content.decode()

    assert len(articles(html)) == 30


def test_message_of_another_version_is_chosen_and_shown(browser: Client, alice: User, chat: Conversation) -> None:
    answer = settle(ask(chat, "Why?"), "The moon pulls.")
    message = Message.objects.select_related("run", "lane", "turn").get(pk=answer.pk)
    actions.edit_message(alice, message, "The sun pulls.")

    html = browser.get("/search/?q=moon", headers=HTMX).content.decode()
    response = browser.post(f"/messages/{answer.pk}/select/")

    assert f'form="act" formaction="/messages/{answer.pk}/select/"' in html
    assert response.headers["Location"] == f"/c/{chat.pk}/?message={answer.pk}#message-{answer.pk}"
    assert Lane.objects.get().head_id == answer.pk
