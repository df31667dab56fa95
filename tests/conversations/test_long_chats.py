"""A page shows the last turns of a chat; those before them come as one scrolls up."""

import re

import pytest
from django.test import Client

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations.models import Conversation, Message, Turn, text_parts
from tests.conversations.conftest import lanes_of
from tests.factories import make_conversation


def talk(conversation: Conversation, turns: int) -> Conversation:
    """Ask so many questions in each lane, one below the other."""
    made = [
        Turn.objects.create(conversation=conversation, owner=conversation.owner, client_id=f"c{row}", row=row)
        for row in range(turns)
    ]
    for lane in lanes_of(conversation):
        head = None
        for turn in made:
            head = Message.objects.create(
                lane=lane, turn=turn, parent=head, role=Message.Role.USER, parts=text_parts(f"Question {turn.row}")
            )
        lane.head = head
        lane.save()
    return conversation


def rows_in(html: str) -> list[int]:
    """The rows that stand in a page or a fragment, in the order of the first lane."""
    return list(dict.fromkeys(int(row) for row in re.findall(r'data-row="(\d+)"', html)))


@pytest.mark.parametrize(("lanes", "shown"), [(1, 30), (2, 30), (3, 20), (4, 15), (6, 10)])
def test_page_shows_thirty_turns_and_of_many_models_sixty_answers(
    alice: User, endpoint: Endpoint, client: Client, lanes: int, shown: int
) -> None:
    chat = talk(make_conversation(alice, *["fake/plain"] * lanes, endpoint=endpoint), 33)
    client.force_login(alice)

    assert rows_in(client.get(f"/c/{chat.pk}/").content.decode()) == list(range(33 - shown, 33))


def test_earlier_turns_follow_on_those_shown_without_a_gap(alice: User, chat: Conversation, client: Client) -> None:
    talk(chat, 70)
    client.force_login(alice)
    address, seen = f"/c/{chat.pk}/", list[int]()

    while address:
        html = client.get(address, headers={"HX-Request": "true"}).content.decode()
        seen = [*rows_in(html), *seen]
        asked = re.search(r'hx-get="([^"]*/earlier/[^"]*)"', html)
        address = asked[1].replace("&amp;", "&") if asked else ""

    assert seen == list(range(70))


@pytest.mark.parametrize("lanes", [1, 6])
def test_page_opened_at_a_message_far_up_has_it(alice: User, endpoint: Endpoint, client: Client, lanes: int) -> None:
    chat = talk(make_conversation(alice, *["fake/plain"] * lanes, endpoint=endpoint), 260)
    client.force_login(alice)
    message = Message.objects.filter(lane__conversation=chat, turn__row=20).latest("pk")

    assert f'id="message-{message.pk}"' in client.get(f"/c/{chat.pk}/?message={message.pk}").content.decode()
