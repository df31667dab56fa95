"""What a page may say over its socket to get at others, or to break the server: every verb, every field."""

import contextlib
import json
from typing import Any

import pytest
from django.db import transaction
from django.http import Http404
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from chat import consumers
from chat.conversations.errors import Refused
from chat.conversations.models import Conversation, Lane, Message
from chat.conversations.verbs import HANDLERS, perform
from chat.keys.choose import usable_keys
from chat.keys.models import SharedKey
from chat.runs.models import Run
from tests.factories import make_shared_key
from tests.security.conftest import SAID, Belongings
from tests.security.test_every_address import rows

pytestmark = pytest.mark.django_db
NAMES = ["text", "lanes", "lane", "client_id", "key", "message", "run", "row", "temperature", "choice", "direction"]
WILD: list[Any] = [
    2**63,
    -(2**63) - 1,
    2**200,
    1e308,
    True,
    None,
    "\ud800",
    "\x00",
    "9" * 5000,
    [2**63],
    [[]],
    {"a": {}},
]
VALUES = st.recursive(
    st.integers() | st.floats() | st.booleans() | st.none() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=6,
)


def right(hers: Belongings) -> dict[str, Any]:
    """Fields with which every verb works."""
    ids = {"message": hers.answer.pk, "lane": hers.lane.pk, "lanes": [hers.lane.pk], "run": hers.run.pk, "row": 0}
    return ids | {"text": "x", "client_id": "x", "direction": "left", "system_prompt": "x"}


def try_it(hers: Belongings, action: str, fields: dict[str, Any]) -> None:
    """Do as a page asks; it may be refused and nothing else, and leaves nothing behind."""
    heard = consumers._parse(json.dumps(fields))
    assert heard is not None
    with transaction.atomic():
        with contextlib.suppress(Refused, Http404):
            perform(hers.owner, hers.chat.pk, action, heard)
        transaction.set_rollback(True)


@pytest.mark.parametrize("action", HANDLERS)
def test_no_value_of_any_field_breaks_the_server(action: str, hers: Belongings) -> None:
    for name in NAMES:
        for value in WILD:
            try_it(hers, action, right(hers) | {name: value})


@pytest.mark.parametrize("action", HANDLERS)
@hypothesis_settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(wild=st.dictionaries(st.sampled_from([*NAMES, "conversation_id", "owner", ""]), VALUES, max_size=4))
def test_no_frame_breaks_the_server(action: str, hers: Belongings, wild: dict[str, Any]) -> None:
    try_it(hers, action, right(hers) | wild)


@pytest.mark.parametrize("action", HANDLERS)
def test_verbs_do_not_reach_others(action: str, hers: Belongings, his: Belongings) -> None:
    before = {table: [row for row in found if "charlie-wrote" in str(row)] for table, found in rows().items()}

    with pytest.raises(Http404):
        perform(hers.owner, his.chat.pk, action, right(his))
    try_it(hers, action, right(his))

    assert {table: [row for row in found if "charlie-wrote" in str(row)] for table, found in rows().items()} == before


@pytest.mark.parametrize("action", ["stop", "take_back", "regenerate", "delete_message", "select_message", "ask_now"])
def test_rows_of_another_chat_of_ones_own_are_not_found_either(action: str, hers: Belongings) -> None:
    """A page speaks for the chat it shows; what is in another chat is asked for there."""
    other = Conversation.objects.create(owner=hers.owner)
    fields = {"message": hers.answer.pk, "run": hers.run.pk, "lane": hers.lane.pk, "row": 0}

    with pytest.raises(Http404):
        perform(hers.owner, other.pk, action, fields)


@pytest.mark.parametrize("action", ["move_lane", "duplicate_lane", "set_system_prompt", "ask_now", "remove_lane"])
def test_a_lane_that_was_removed_can_only_be_restored(action: str, hers: Belongings) -> None:
    perform(hers.owner, hers.chat.pk, "remove_lane", {"lane": hers.lane.pk})
    fields = {"lane": hers.lane.pk, "direction": "left", "row": 0, "system_prompt": "x"}

    with pytest.raises(Http404):
        perform(hers.owner, hers.chat.pk, action, fields)


@pytest.mark.parametrize("action", ["select_message", "regenerate", "continue_answer", "raise_limit"])
def test_a_message_that_was_deleted_can_only_be_restored(action: str, hers: Belongings) -> None:
    perform(hers.owner, hers.chat.pk, "delete_message", {"message": hers.answer.pk})

    with pytest.raises(Http404):
        perform(hers.owner, hers.chat.pk, action, {"message": hers.answer.pk})


def test_deleting_what_is_deleted_changes_nothing(hers: Belongings) -> None:
    perform(hers.owner, hers.chat.pk, "delete_message", {"message": hers.answer.pk})
    before = [*Message.objects.order_by("pk").values()]

    perform(hers.owner, hers.chat.pk, "delete_message", {"message": hers.answer.pk})

    assert [*Message.objects.order_by("pk").values()] == before


@pytest.mark.parametrize("whose", ["not granted", "another person's", "the environment's", "another endpoint's"])
def test_a_key_that_is_not_ones_own_never_pays(whose: str, hers: Belongings, his: Belongings, settings: Any) -> None:
    settings.HF_TOKEN = "hf_environmentENVIRONMENTenv"
    router = hers.key.endpoint
    refs = {
        "not granted": f"shared:{make_shared_key(router).pk}",
        "another person's": f"personal:{his.key.pk}",
        "the environment's": "environment",
        "another endpoint's": f"shared:{make_shared_key(hers.lane.endpoint or router, hers.owner).pk}",
    }
    Lane.objects.filter(pk=hers.lane.pk).update(endpoint=router, model_id="org/model")

    fields = {"text": "x", "client_id": "new", "lanes": [hers.lane.pk], "key": refs[whose]}
    perform(hers.owner, hers.chat.pk, "send", fields)

    run = Run.objects.latest("pk")
    assert run.key_ref == f"personal:{hers.key.pk}"


def test_without_a_key_of_ones_own_nothing_is_sent(hers: Belongings, his: Belongings) -> None:
    router = hers.key.endpoint
    make_shared_key(router, his.owner)
    hers.key.delete()
    Lane.objects.filter(pk=hers.lane.pk).update(endpoint=router, model_id="org/model")
    theirs = SharedKey.objects.get()

    with pytest.raises(Refused):
        fields = {"text": "x", "client_id": "new", "lanes": [hers.lane.pk], "key": f"shared:{theirs.pk}"}
        perform(hers.owner, hers.chat.pk, "send", fields)

    assert usable_keys(hers.owner, router) == []
    assert Run.objects.filter(owner=hers.owner).count() == 1


@pytest.mark.parametrize("text", ["", "x", "[]", "1e400", "NaN", "9" * 5000, '{"a":' * 100_000, "[" * 900_001])
def test_what_is_no_object_is_not_heard(text: str) -> None:
    assert consumers._parse(text) is None


def test_half_a_character_is_kept_as_its_replacement() -> None:
    assert consumers._parse('{"text": "\\ud83d and \\ud83d\\ude00"}') == {"text": "\ufffd and 😀"}


def test_no_crowd_of_lanes_is_looked_through(hers: Belongings) -> None:
    crowd = ["9" * 300] * 10_000

    with pytest.raises(Refused, match="more than there can be"):
        perform(hers.owner, hers.chat.pk, "send", right(hers) | {"lanes": crowd})


def test_what_was_said_stays_out_of_refusals(hers: Belongings) -> None:
    with pytest.raises(Refused) as refusal:
        perform(hers.owner, hers.chat.pk, "send", {"text": SAID, "lanes": ["<b>"], "client_id": "x"})

    assert SAID not in str(refusal.value)
