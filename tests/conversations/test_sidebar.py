"""The list of chats beside every page."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.conversations.frames import chat_list_frame
from chat.conversations.models import Conversation
from chat.conversations.sidebar import is_at_top
from chat.runs.models import Run
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_a_list_of_chats_with_its_marks_takes_one_query() -> None:
    anna = make_user("anna")
    now = timezone.now()
    read = Conversation.objects.create(owner=anna, title="Read", answered_at=now, seen_at=now)
    unread = Conversation.objects.create(owner=anna, title="<i>Unread</i>", answered_at=now, pinned=True)
    at_work = Conversation.objects.create(owner=anna, answered_at=now, updated_at=now - timedelta(days=30))
    Run.objects.create(topic=at_work.topic, owner=anna, model_id="org/model")

    with CaptureQueriesContext(connection) as queries:
        html = chat_list_frame(anna, read.pk)

    assert len(queries) == 1
    items = {chat.pk: html.split(f'id="chat-item-{chat.pk}"')[1].split("</li>")[0] for chat in (read, unread, at_work)}
    assert 'data-mark=""' in items[read.pk] and 'aria-current="page"' in items[read.pk]
    assert 'data-mark="unread"' in items[unread.pk] and 'aria-label="unread"' in items[unread.pk]
    assert 'data-mark="working"' in items[at_work.pk] and 'aria-label="working"' in items[at_work.pk]
    assert "&lt;i&gt;Unread&lt;/i&gt;" in items[unread.pk] and "<i>" not in html
    assert f'href="/c/{unread.pk}/"' in items[unread.pk]


def test_writing_in_the_topmost_chat_leaves_the_list_as_it_is() -> None:
    anna, now = make_user("anna"), timezone.now()
    Conversation.objects.create(owner=anna, title="Pinned", pinned=True)
    older = Conversation.objects.create(owner=anna, title="Older", updated_at=now - timedelta(seconds=2))
    top = Conversation.objects.create(owner=anna, title="Top", updated_at=now - timedelta(seconds=1))

    assert is_at_top(top) and not is_at_top(older)


@pytest.mark.parametrize("fields", [{"title": ""}, {"is_draft": True}, {"days": 1}])
def test_a_chat_that_gets_a_title_a_place_or_another_day_moves(fields: dict[str, Any]) -> None:
    fields = {"title": "Top", "updated_at": timezone.now() - timedelta(days=fields.pop("days", 0)), **fields}

    assert not is_at_top(Conversation.objects.create(owner=make_user("anna"), **fields))
