"""Ceilings and sizes: what one person may ask for is bounded, also when it is asked for all at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from chat import consumers
from chat.accounts.models import User
from chat.catalogue.models import Endpoint, ModelChoice
from chat.conversations import lane_actions
from chat.conversations.actions import send_message
from chat.conversations.composer import TEXT_LIMIT
from chat.conversations.errors import Refused
from chat.conversations.models import MAX_LANES, Conversation, Lane, Message
from chat.conversations.verbs import perform
from chat.runs.models import Run
from tests.factories import make_conversation

AT_ONCE = 6


def at_once(call: Callable[[int], object]) -> None:
    """Call with 0, 1, … at the same moment, each in a thread with a database connection of its own."""
    together = Barrier(AT_ONCE)

    def one(number: int) -> None:
        try:
            together.wait()
            with suppress(Refused):
                call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(one, range(AT_ONCE)))


@pytest.mark.django_db(transaction=True)
def test_sends_at_the_same_moment_do_not_pass_the_ceiling(alice: User, endpoint: Endpoint, settings: Any) -> None:
    settings.MAX_ACTIVE_RUNS = 2
    chats = [make_conversation(alice, "fake/plain", endpoint=endpoint) for _ in range(AT_ONCE)]
    lanes = [Lane.objects.get(conversation=chat).pk for chat in chats]

    at_once(lambda number: send_message(alice, chats[number], "Hi", [lanes[number]], f"{number}"))

    assert Run.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_sends_at_the_same_moment_do_not_store_more_than_one_may(
    alice: User, endpoint: Endpoint, settings: Any
) -> None:
    settings.MAX_STORED_MB = 1
    chats = [make_conversation(alice, "fake/plain", endpoint=endpoint) for _ in range(AT_ONCE)]
    lanes = [Lane.objects.get(conversation=chat).pk for chat in chats]

    # Each is stored as a message and once more in its request.
    at_once(lambda number: send_message(alice, chats[number], "x" * 150_000, [lanes[number]], f"{number}"))

    assert Run.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_message_sent_many_times_at_once_is_one_turn(chat: Conversation, alice: User) -> None:
    lane = Lane.objects.get()

    at_once(lambda _: send_message(alice, chat, "Hi", [lane.pk], "the same"))

    assert Run.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_lanes_added_at_the_same_moment_are_six_at_most(chat: Conversation, alice: User) -> None:
    lane = Lane.objects.get()
    choice = ModelChoice(lane.endpoint_id, "fake/echo")

    at_once(lambda _: lane_actions.add_lane(alice, chat, choice, copy=False))

    assert Lane.objects.live().count() == MAX_LANES


@pytest.mark.django_db
@pytest.mark.parametrize("letter", ["x", "é", "漢", "😀", "\n", '"'])
def test_the_longest_text_is_taken_and_one_more_letter_is_not(chat: Conversation, alice: User, letter: str) -> None:
    lane = Lane.objects.get()
    fields = {"lanes": [lane.pk], "client_id": "x"}

    with pytest.raises(Refused, match="longer than 200,000"):
        perform(alice, chat.pk, "send", fields | {"text": "x" + letter * TEXT_LIMIT})
    perform(alice, chat.pk, "send", fields | {"text": "x" + letter * (TEXT_LIMIT - 1)})

    assert len(Message.objects.get(role="user").text) == TEXT_LIMIT


@pytest.mark.django_db
@pytest.mark.parametrize("letter", ["x", "漢", "😀"])
def test_a_form_takes_the_longest_text_too(chat: Conversation, alice: User, client: Client, letter: str) -> None:
    client.force_login(alice)
    url = f"/c/{chat.pk}/send/"

    kept = client.post(url, {"text": letter * TEXT_LIMIT, "client_id": "x"})
    refused = client.post(url, {"text": letter * TEXT_LIMIT + "x", "client_id": "y"})

    assert (kept.status_code, refused.status_code) == (302, 302)
    assert len(Message.objects.get(role="user").text) == TEXT_LIMIT
    chat.refresh_from_db()
    assert chat.composer_text == letter * TEXT_LIMIT + "x"


@pytest.mark.django_db
def test_a_form_beyond_all_bounds_is_refused_as_a_whole(chat: Conversation, alice: User, client: Client) -> None:
    client.force_login(alice)

    answer = client.post(f"/c/{chat.pk}/send/", {"text": "x" * 3_000_000, "client_id": "x"})

    assert answer.status_code in (400, 413)


def test_a_frame_beyond_all_bounds_is_not_even_parsed() -> None:
    assert consumers._parse('{"text": "' + "x" * consumers.MAX_CHARACTERS + '"}') is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/search/?q=" + "%25_" * 10_000,
        "/search/?q=a%00b",
        "/search/?before=2024-13-45T00:00:00",
        "/search/?before=2024-01-01T00:00:00",
        "/search/?before=" + "9" * 5000,
        "/models/?q=" + "%25" * 10_000,
        "/models/?q=a%00b&filter=tools&filter=none&sort=x&page=99999999999999999999",
        "/models/picker/?q=" + "a+" * 5_000,
        "/models/picker/more/?page=" + "9" * 5000,
        "/models/offers/?model=" + "a/" * 5_000,
        "/models/refresh/?since=2024-13-45T00:00:00&left=" + "9" * 5000,
        "/usage/?days=" + "9" * 5000,
        "/?model=" + ",".join(["a/b"] * 5_000) + "&prompt=a%00b",
        "/?starter=%00",
    ],
    ids=lambda path: path[:40],
)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "fragment"])
def test_no_address_is_too_odd(path: str, headers: dict[str, str], client: Client, alice: User) -> None:
    client.force_login(alice)

    answer = client.get(path, headers=headers)

    assert answer.status_code in (200, 302, 404)


@pytest.mark.django_db
@pytest.mark.parametrize("before", ["9" * 5000, "-1", "0", "x", "²", "٣", "1e9"])
def test_no_place_to_read_on_from_is_too_odd(before: str, chat: Conversation, client: Client, alice: User) -> None:
    client.force_login(alice)

    answer = client.get(f"/c/{chat.pk}/earlier/", {"before": before}, headers={"HX-Request": "true"})

    assert answer.status_code in (200, 302)


@pytest.mark.django_db
def test_a_link_begins_six_lanes_at_most(client: Client, alice: User, endpoint: Endpoint) -> None:
    client.force_login(alice)

    client.get("/", {"model": ",".join(f"fake@fake/{number}" for number in range(50))})

    assert Lane.objects.count() == MAX_LANES
