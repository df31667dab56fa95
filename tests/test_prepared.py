"""Prepared queries give what the querysets that they are made of would give, for other values at each call."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Subquery
from django.db.transaction import TransactionManagementError
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chat.accounts.models import User
from chat.catalogue.models import LanguageModel, Offer
from chat.conversations.models import Conversation, Lane, Turn
from chat.prepared import Prepared, PreparedDelete, PreparedInsert, PreparedUpdate, given, given_each
from tests.factories import make_endpoint, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return make_user()


def chat_of(user: User, title: str = "One") -> Conversation:
    return Conversation.objects.create(owner=user, title=title)


def test_rows_are_the_models_that_the_queryset_gives(alice: User) -> None:
    chat = chat_of(alice)
    find = Prepared(lambda: Conversation.objects.of(given("user")).filter(pk=given("pk")))

    [found] = find.rows(user=alice.pk, pk=chat.pk)

    plain = Conversation.objects.get(pk=chat.pk)
    assert {name: getattr(found, name) for name in vars(plain) if name != "_state"} == {
        name: value for name, value in vars(plain).items() if name != "_state"
    }


def test_each_call_asks_with_its_own_values(alice: User) -> None:
    bob, chat = make_user("bob"), chat_of(alice)
    find = Prepared(lambda: Conversation.objects.of(given("user")).filter(pk=given("pk")))

    assert find.first(user=alice.pk, pk=chat.pk) == chat
    assert find.first(user=bob.pk, pk=chat.pk) is None
    assert find.first(user=alice.pk, pk=uuid4()) is None


def test_a_row_that_changed_is_read_as_it_is_now(alice: User) -> None:
    chat = chat_of(alice)
    find = Prepared(lambda: Conversation.objects.filter(pk=given("pk")))
    assert find.first(pk=chat.pk) is not None

    Conversation.objects.filter(pk=chat.pk).update(title="Two")

    assert [found.title for found in find.rows(pk=chat.pk)] == ["Two"]


def test_joined_models_and_annotations_come_along(
    alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    chat = chat_of(alice)
    turn = Turn.objects.create(conversation=chat, owner=alice, client_id="a", row=3)
    asked = Turn.objects.filter(conversation=OuterRef("conversation"), row__gt=OuterRef("row"))
    find = Prepared(
        lambda: Turn.objects.filter(pk=given("pk")).select_related("conversation").annotate(earlier=Exists(asked))
    )

    with django_assert_num_queries(1):
        [found] = find.rows(pk=turn.pk)
        assert (found.conversation.title, found.earlier) == ("One", False)  # type: ignore[attr-defined]


def test_columns_that_were_left_out_are_read_when_they_are_wanted(alice: User) -> None:
    chat = chat_of(alice)
    find = Prepared(lambda: Conversation.objects.filter(pk=given("pk")).only("title"))

    [found] = find.rows(pk=chat.pk)

    assert found.get_deferred_fields() >= {"pinned", "topic"}
    assert found.topic == chat.topic


def test_values_are_converted_as_their_columns_ask(alice: User) -> None:
    model = LanguageModel.objects.create(hub_id="org/model")
    offer = Offer.objects.create(endpoint=make_endpoint(), language_model=model, input_price=Decimal("0.1"))
    find = Prepared(lambda: Offer.objects.filter(pk=given("pk")).values_list("input_price", flat=True))

    assert find.rows(pk=offer.pk) == [Decimal("0.1")]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_list_may_hold_as_many_values_as_it_likes(alice: User, count: int) -> None:
    chats = [chat_of(alice, f"Chat {number}") for number in range(4)]
    find = Prepared(
        lambda: Conversation.objects.filter(pk__in=given_each("pks"), owner=given("owner")).values_list("title")
    )
    find.rows(pks=[chat.pk for chat in chats], owner=alice.pk)

    found = find.rows(pks=[chat.pk for chat in chats[:count]], owner=alice.pk)

    assert sorted(found) == [(f"Chat {number}",) for number in range(count)]


def test_moments_are_compared_as_moments(alice: User) -> None:
    chat_of(alice)
    find = Prepared(lambda: Conversation.objects.filter(created_at__gt=given("moment")))

    assert len(find.rows(moment=timezone.now() - timedelta(minutes=1))) == 1
    assert find.rows(moment=timezone.now() + timedelta(minutes=1)) == []


def test_a_moment_of_composing_is_refused() -> None:
    """It would be that of the first call for ever."""
    find = Prepared(lambda: Conversation.objects.filter(created_at__gt=timezone.now()))

    with pytest.raises(ValueError, match="stand still"):
        find.rows()


def test_a_subquery_takes_values_too(alice: User) -> None:
    chat_of(alice)
    titles = Conversation.objects.filter(owner=OuterRef("pk"), title=given("title")).values("title")
    find = Prepared(lambda: User.objects.filter(pk=given("pk")).values_list("username", Subquery(titles)))

    assert find.rows(pk=alice.pk, title="One") == [("alice", "One")]
    assert find.rows(pk=alice.pk, title="Two") == [("alice", None)]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_inside_a_transaction_only(alice: User) -> None:
    find = Prepared(lambda: User.objects.select_for_update().filter(pk=given("pk")))
    with transaction.atomic():
        find.rows(pk=alice.pk)

    with pytest.raises(TransactionManagementError):
        find.rows(pk=alice.pk)


def test_an_update_changes_what_it_finds_and_says_how_much(alice: User) -> None:
    chat, other = chat_of(alice), chat_of(alice)
    change = PreparedUpdate(lambda: Conversation.objects.filter(pk=given("chat")), "title", version=F("version") + 1)

    assert change(chat=chat.pk, title="Two") == 1
    assert change(chat=chat.pk, title="Three") == 1
    assert change(chat=uuid4(), title="Four") == 0

    assert Conversation.objects.values_list("title", "version").get(pk=chat.pk) == ("Three", 2)
    assert Conversation.objects.values_list("title", "version").get(pk=other.pk) == ("One", 0)


def test_an_update_stores_values_as_their_columns_ask(alice: User) -> None:
    lane = Lane.objects.create(conversation=chat_of(alice), model_id="org/model")
    change = PreparedUpdate(lambda: Lane.objects.filter(pk=given("lane")), "parameters", "removed_at")
    moment = timezone.now()

    change(lane=lane.pk, parameters={"stop": ["é"]}, removed_at=moment)

    lane.refresh_from_db()
    assert (lane.parameters, lane.removed_at) == ({"stop": ["é"]}, moment)


def test_a_new_row_is_stored_whole_and_knows_its_key(alice: User) -> None:
    add = PreparedInsert(Turn)
    chat = chat_of(alice)

    turns = [add(Turn(conversation=chat, owner=alice, client_id=name, row=3)) for name in ("a", "b")]

    assert [Turn.objects.get(pk=turn.pk).client_id for turn in turns] == ["a", "b"]
    turns[0].row = 4
    turns[0].save()
    assert Turn.objects.count() == 2


def test_a_row_that_breaks_a_constraint_raises_and_breaks_the_transaction(alice: User) -> None:
    add = PreparedInsert(Turn)
    chat = chat_of(alice)
    add(Turn(conversation=chat, owner=alice, client_id="a", row=0))

    with pytest.raises(IntegrityError), transaction.atomic():
        add(Turn(conversation=chat, owner=alice, client_id="a", row=0))

    assert Turn.objects.count() == 1


def test_a_row_is_left_out_where_it_is_there_already(alice: User) -> None:
    add = PreparedInsert(Turn, unless_there=True)
    chat = chat_of(alice)

    for row in range(2):
        add(Turn(conversation=chat, owner=alice, client_id="a", row=row))

    assert Turn.objects.get().row == 0


def test_a_deletion_takes_what_it_finds(alice: User) -> None:
    chat = chat_of(alice)
    for name in ("a", "b"):
        Turn.objects.create(conversation=chat, owner=alice, client_id=name, row=0)
    remove = PreparedDelete(lambda: Turn.objects.filter(client_id=given("name")))

    assert remove(name="a") == 1
    assert [turn.client_id for turn in Turn.objects.all()] == ["b"]
