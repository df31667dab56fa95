"""Puts fragments of tool calls in order: which call does this piece belong to?

Servers disagree on indices and ids, so the rules for guessing live here, apart. Used by `decoding`, one per answer.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from chat.providers.events import ToolCallDelta
from chat.providers.wild_json import count, label, mapping, sequence, text

# A hostile server must not make us keep a list of a billion empty calls.
MAX_CALLS = 128


class ToolCallReader:
    """Remembers the calls of one answer: the id of each, and which index on the wire means which call."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._by_index: dict[int, int] = {}

    def read(self, delta: dict[str, Any]) -> Iterator[ToolCallDelta]:
        """The fragments in a delta, or the whole calls in a message."""
        fragments = sequence(delta.get("tool_calls")) if delta.get("tool_calls") else []
        if delta.get("function_call"):
            fragments = [{"index": 0, "function": delta["function_call"]}]
        for position, fragment in enumerate(fragments):
            if isinstance(fragment, dict):
                index = count(fragment.get("index"))
                # Without an index, several at once are told apart by position, and a single one goes on with the last.
                yield from self._fragment(fragment, position if index is None and len(fragments) > 1 else index)

    def _fragment(self, fragment: dict[str, Any], index: int | None) -> Iterator[ToolCallDelta]:
        function = mapping(fragment.get("function"))
        identity, name = label(fragment.get("id")), label(function.get("name"))
        call = self._call(index, identity, name)
        arguments = _arguments(function.get("arguments"))
        if call is not None and (identity or name or arguments):
            yield ToolCallDelta(call, identity, name, arguments)

    def _call(self, index: int | None, identity: str, name: str) -> int | None:
        call = len(self._ids) - 1 if index is None else self._by_index.get(index, -1)
        # Some servers give every call index 0: another id together with a name is another call.
        if call < 0 or (identity and name and self._ids[call] not in ("", identity)):
            return self._add(index, identity)
        self._ids[call] = self._ids[call] or identity
        return call

    def _add(self, index: int | None, identity: str) -> int | None:
        if len(self._ids) >= MAX_CALLS:
            return None
        self._ids.append(identity)
        call = len(self._ids) - 1
        self._by_index[call if index is None else index] = call
        return call


def _arguments(value: object) -> str:
    """Arguments are JSON text by the specification; some servers send the object itself."""
    if isinstance(value, dict | list):
        try:
            return text(orjson.dumps(value).decode())
        except TypeError:
            return ""
    return text(value)
