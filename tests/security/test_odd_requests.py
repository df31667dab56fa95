"""What no page offers, in an order that no page makes: whatever one posts for oneself, one's pages still open."""

from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from chat.conversations.models import Conversation, Lane, Message
from chat.runs.models import Run
from tests.security.conftest import Belongings
from tests.security.routes import ROUTES

pytestmark = pytest.mark.django_db
POSTED = [route.text for route in ROUTES if route.is_ours and not route.text.startswith(("in/", "join/", "keys/"))]
FIELDS: list[dict[str, str]] = [
    {"text": "x", "client_id": "1", "choice": "fake@fake/plain", "title": "x", "start": "copy"},
    {"text": "y", "client_id": "2", "temperature": "1", "max_tokens": "5", "start": "empty", "q": "fake@fake/echo"},
    {},
]
STEPS = st.lists(
    st.tuples(st.sampled_from(POSTED), st.integers(0, 9), st.sampled_from(FIELDS), st.booleans()), max_size=10
)


class Visitor:
    """Posts to addresses with ids picked among all rows of one's own, deleted and removed ones included."""

    def __init__(self, hers: Belongings) -> None:
        self.browser = Client()
        self.browser.force_login(hers.owner)
        self.hers = hers

    def path(self, text: str, pick: int) -> str:
        [route] = [route for route in ROUTES if route.text == text]
        return route.path(lambda name: self._some(name, pick))

    def _some(self, name: str, pick: int) -> object:
        models: dict[str, Any] = {"conversation_id": Conversation, "lane": Lane, "other": Lane, "run": Run}
        model = models.get(name, Message)
        found = model.objects.order_by("created_at" if model is Conversation else "pk").values_list("pk", flat=True)
        return found[pick % len(found)]

    def post(self, text: str, pick: int, fields: dict[str, str], htmx: bool) -> int:
        headers = {"HX-Request": "true"} if htmx else {}
        return self.browser.post(self.path(text, pick), fields, headers=headers).status_code

    def pages(self) -> set[int]:
        """The statuses of the front page and of every chat that one has."""
        chats = Conversation.objects.of(self.hers.owner).values_list("pk", flat=True)
        paths = ["/", "/search/", "/usage/", *(f"/c/{pk}/" for pk in chats), *(f"/c/{pk}/news/" for pk in chats)]
        return {self.browser.get(path, follow=True).status_code for path in paths}


CHAT, LANE, MESSAGE = "c/<uuid:conversation_id>/", "lanes/<int:lane>/", "messages/<int:message>/"


@hypothesis_settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@example([("reset/", 0, {}, False), (f"{CHAT}delete/", 1, {}, True)])
@example([("reset/", 0, {}, False), (f"{CHAT}delete/", 1, {}, True), (f"{CHAT}restore/", 1, {}, True)])
@example([(f"{LANE}remove/", 0, {}, False), (f"{LANE}restore/", 0, {}, False), (f"{LANE}restore/", 0, {}, True)])
@example([(f"{MESSAGE}delete/", 0, {}, False), (f"{MESSAGE}select/", 1, {}, True), (f"{MESSAGE}edit/", 1, {}, True)])
@given(steps=STEPS)
def test_nothing_that_one_posts_shuts_one_out(hers: Belongings, steps: list[tuple[str, int, Any, bool]]) -> None:
    with transaction.atomic():
        visitor = Visitor(hers)

        statuses = {visitor.post(*step) for step in steps}
        pages = visitor.pages()

        transaction.set_rollback(True)
    assert max(statuses, default=0) < 500 and pages == {200}
