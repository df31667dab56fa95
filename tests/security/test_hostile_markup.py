"""Markup in every text that a person, a provider or a model can choose: no page or frame takes it for its own."""

import re
from typing import Any

import pytest
from django.test import Client

from chat.accounts.models import Invitation, User
from chat.catalogue.models import Endpoint, LanguageModel, Offer, RecentChoice
from chat.conversations import frames
from chat.conversations.models import Conversation, Lane, Message, Turn, text_parts
from chat.database import in_database
from chat.keys.models import PersonalKey, SharedKey
from chat.markdown import render
from chat.runs.models import Run
from chat.usage.models import UsageRecord
from tests.conversations.test_socket import Page, send, session_of
from tests.fake_provider import FakeProvider
from tests.security.conftest import Belongings
from tests.security.markup import MARKUP, SHORT, complaints, swaps
from tests.security.routes import ROUTES, Route

HTMX = {"HX-Request": "true"}
REMEDIES = [
    "retry",
    "other_provider",
    "other_key",
    "shorten",
    "raise_limit",
    "wait",
    "drop_parameter",
    "accept_licence",
]
STATES: list[dict[str, Any]] = [
    {"status": "done", "finish_reason": SHORT},
    {"status": "done", "finish_reason": "length"},
    {"status": "done", "text": "", "html": ""},
    {"status": "stopped"},
    {"status": "interrupted"},
    {"status": "failed", "error_sentence": MARKUP, "error_raw": MARKUP, "error_remedies": REMEDIES},
    {"status": "queued", "text": "", "html": ""},
    {"status": "streaming", "text": "", "html": ""},
]


def hostile_run(chat: Conversation, endpoint: Endpoint, **state: Any) -> Run:
    """An answer in which everything that a provider reports is markup."""
    said = {"text": MARKUP, "html": render(MARKUP), "reasoning": MARKUP, "reasoning_html": render(MARKUP)}
    call = {"id": MARKUP, "name": MARKUP, "arguments": MARKUP}
    reported: dict[str, Any] = {"served_by": SHORT, "answered_model": MARKUP, "response_id": SHORT, "key_label": SHORT}
    reported |= {"system_fingerprint": SHORT, "response_headers": {SHORT: MARKUP}, "error_parameter": SHORT}
    asked = {"topic": chat.topic, "owner": chat.owner, "endpoint": endpoint, "model_id": SHORT, "provider": SHORT}
    fields = {**asked, **said, **reported, "tool_calls": [call], "request": "{}", **state}
    return Run.objects.create(**fields)


@pytest.fixture
def hostile(hers: Belongings) -> Belongings:
    """Alice's chat with markup in all of its texts, and an answer in each state."""
    endpoint = hers.lane.endpoint
    assert endpoint is not None
    User.objects.filter(pk=hers.owner.pk).update(username=SHORT, first_name=SHORT, default_system_prompt=MARKUP)
    Endpoint.objects.update(label=MARKUP[:100], sync_error=MARKUP)
    Conversation.objects.update(title=MARKUP[:200], composer_text=MARKUP)
    Lane.objects.update(system_prompt=MARKUP, model_id=f"org/{MARKUP}"[:300], provider=SHORT)
    Lane.objects.filter(pk=hers.lane.pk).update(parameters={"stop": [MARKUP], "extra_body": {MARKUP: MARKUP}})
    PersonalKey.objects.update(label=SHORT, check_report=MARKUP, organisations=[SHORT], bill_to=SHORT)
    SharedKey.objects.create(label=SHORT, endpoint=endpoint, check_report=MARKUP)
    Invitation.objects.create(label=SHORT, token_hash="x", expires_at=hers.chat.created_at)
    model = LanguageModel.objects.create(hub_id=f"org/{SHORT}")
    Offer.objects.create(endpoint=endpoint, language_model=model, provider=SHORT, status=SHORT[:10])
    RecentChoice.objects.create(user=hers.owner, endpoint=endpoint, model_id=MARKUP, provider=SHORT)
    UsageRecord.objects.create(user=hers.owner, run_id=1, model_id=MARKUP, provider=SHORT, key_label=SHORT)
    _ask_in_every_state(hers, endpoint)
    return hers


def _ask_in_every_state(hers: Belongings, endpoint: Endpoint) -> None:
    parent = hers.answer
    for row, state in enumerate(STATES, start=1):
        turn = Turn.objects.create(conversation=hers.chat, owner=hers.owner, client_id=str(row), row=row)
        asked = Message.objects.create(
            lane=hers.lane, turn=turn, parent=parent, role="user", parts=text_parts(f"\n{MARKUP}")
        )
        run = hostile_run(hers.chat, endpoint, **state)
        parent = Message.objects.create(
            lane=hers.lane, turn=turn, parent=asked, role="assistant", run=run, model_label=MARKUP[:300]
        )
    Lane.objects.filter(pk=hers.lane.pk).update(head=parent)


@pytest.mark.parametrize("text", [MARKUP, SHORT, f'<a title="{MARKUP}">x</a>', f"<p title='{SHORT}'>x</p>"])
def test_markup_that_nobody_escaped_would_be_seen_here(text: str) -> None:
    assert any("evil" in complaint for complaint in complaints(f"<div>{text}</div>"))


@pytest.mark.django_db
@pytest.mark.parametrize("route", [route for route in ROUTES if route.text != "healthz"], ids=lambda route: route.text)
def test_no_page_takes_markup_for_its_own(route: Route, hostile: Belongings, ada: User) -> None:
    path = route.path(hostile.argument)
    answers = []
    for person in (hostile.owner, ada):
        browser = Client()
        browser.force_login(User.objects.get(pk=person.pk))
        for headers in ({}, HTMX):
            answers.append(browser.get(path, {"q": SHORT, "model": SHORT, "view": "raw"}, headers=headers, follow=True))
            answers.append(browser.post(path, {"q": MARKUP, "title": SHORT, "text": ""}, headers=headers, follow=True))

    html = [answer.content.decode() for answer in answers if answer.get("Content-Type", "").startswith("text/html")]

    assert [wrong for page in html for wrong in complaints(page)] == []


@pytest.mark.django_db
def test_every_answer_is_shown_inert_on_the_page_of_its_chat(hostile: Belongings, client: Client) -> None:
    client.force_login(hostile.owner)

    page = client.get(f"/c/{hostile.chat.pk}/").content.decode()

    assert page.count("<article") == 2 * len(STATES) + 2
    assert page.count("&lt;x-evil") > 10 * len(STATES)
    assert complaints(page) == []


@pytest.mark.django_db
def test_no_frame_takes_markup_for_its_own(hostile: Belongings) -> None:
    user, chat = User.objects.get(pk=hostile.owner.pk), Conversation.objects.get(pk=hostile.chat.pk)
    sent = [frames.lanes_scene(user, chat).html, frames.settings_frame(user, chat), frames.news_frame(user, chat)]
    sent += [frames.turn_scene(chat, turn).html for turn in Turn.objects.all()]
    sent += [frames.ended_answer(run.pk, whole) for run in Run.objects.all() for whole in (True, False)]
    sent += [frames.chat_list_frame(user, chat.pk), frames.earlier_frame(user, chat, 5)]
    sent += [frames.composer_meter_frame(chat), frames.errors_frame((MARKUP,))]
    sent += [frames.done_frame(MARKUP, frames.Toast(MARKUP, "/keys/"), MARKUP)]

    assert [wrong for frame in sent for wrong in complaints(frame)] == []
    assert all(re.fullmatch(r"true|\w+:#[\w-]+", swap) for frame in sent for swap in swaps(frame))


def test_a_frame_escapes_what_nobody_has_marked_safe() -> None:
    frame = frames.swap("#toasts", MARKUP)

    assert complaints(frame) == [] and swaps(frame) == ["innerHTML:#toasts"]


async def test_an_answer_of_markup_streams_as_text(
    chat: Conversation, alice: User, engine: None, fake_provider: FakeProvider
) -> None:
    await in_database(lambda: Endpoint.objects.update(base_url=fake_provider.base_url))
    await in_database(lambda: Lane.objects.update(model_id="fake/xss"))
    page = Page(chat.pk, await in_database(session_of, alice))
    await page.open()

    await send(page, chat, text=MARKUP)
    seen = await page.until('data-status="done"')
    await page.socket.disconnect()

    numbered = re.split(r"<!--f:\d+-->", seen)
    assert [wrong for frame in numbered for wrong in complaints(frame)] == []
    targets = [swap for frame in numbered for swap in swaps(frame)]
    assert targets and all(re.fullmatch(r"true|\w+:#[\w-]+( > [\w.:-]+)*(, #[\w-]+)*", target) for target in targets)
