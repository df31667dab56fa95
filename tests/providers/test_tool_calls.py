"""Fragments of tool calls put in order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.events import ToolCallDelta
from chat.providers.tool_calls import MAX_CALLS, ToolCallReader


def fragment(identity: Any = None, name: Any = None, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    return {"id": identity, "function": {"name": name, "arguments": arguments}, **fields}


def calls(*deltas: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """The calls that come out, as a draft would fold them."""
    reader = ToolCallReader()
    found: dict[int, list[str]] = {}
    for delta in deltas:
        for event in reader.read({"tool_calls": delta}):
            call = found.setdefault(event.index, ["", "", ""])
            call[:] = [event.id or call[0], event.name or call[1], call[2] + event.arguments]
    return [(call[0], call[1], call[2]) for _, call in sorted(found.items())]


def test_fragments_are_joined_by_index() -> None:
    found = calls(
        [fragment("a", "f", "", index=0)],
        [fragment("", None, '{"x', index=0)],
        [fragment("b", "g", "{}", index=1)],
        [fragment(None, "", '":1}', index=0)],
    )

    assert found == [("a", "f", '{"x":1}'), ("b", "g", "{}")]


def test_without_an_index_a_fragment_goes_on_with_the_last_call() -> None:
    assert calls([fragment("a", "f", "{")], [fragment("", "", "}")], [fragment("b", "g", "{}")]) == [
        ("a", "f", "{}"),
        ("b", "g", "{}"),
    ]


def test_without_an_index_several_at_once_are_told_apart_by_position() -> None:
    found = calls(
        [fragment("a", "f", "1"), fragment("b", "g", "2")], [fragment(None, None, "3"), fragment(None, None, "4")]
    )

    assert found == [("a", "f", "13"), ("b", "g", "24")]


def test_another_id_and_name_at_the_same_index_is_another_call() -> None:
    assert calls([fragment("a", "f", "{}", index=0)], [fragment("b", "g", "{}", index=0)]) == [
        ("a", "f", "{}"),
        ("b", "g", "{}"),
    ]


def test_new_id_with_every_fragment_is_the_same_call() -> None:
    assert [call[2] for call in calls([fragment("a", "f", "{", index=0)], [fragment("b", None, "}", index=0)])] == [
        "{}"
    ]


def test_arguments_given_as_object_become_json_text() -> None:
    assert calls([fragment("a", "f", {"x": [1]})]) == [("a", "f", '{"x":[1]}')]


def test_older_function_call_is_a_tool_call() -> None:
    events = list(ToolCallReader().read({"function_call": {"name": "f", "arguments": "{}"}}))

    assert events == [ToolCallDelta(0, "", "f", "{}")]


def test_number_of_calls_is_bounded() -> None:
    found = calls(*([fragment(f"id{number}", "f", "{}", index=number * 1000)] for number in range(MAX_CALLS + 50)))

    assert len(found) == MAX_CALLS


@pytest.mark.parametrize(
    "value", [None, [], {}, "x", 7, [None, 7, "x", []], [{}], [{"function": 7, "index": "x", "id": []}]]
)
def test_odd_tool_calls_are_nothing(value: Any) -> None:
    assert list(ToolCallReader().read({"tool_calls": value})) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["", "f"]), st.sampled_from([None, 0, 1, 5, -1, "x"])
        )
    )
)
def test_calls_are_numbered_without_gaps(fragments: list[tuple[str, str, Any]]) -> None:
    reader = ToolCallReader()
    seen: set[int] = set()

    for identity, name, index in fragments:
        for event in reader.read({"tool_calls": [fragment(identity, name, "x", index=index)]}):
            seen.add(event.index)

    assert seen == set(range(len(seen)))
