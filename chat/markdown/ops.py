"""The operations that grow an answer in a page, their bounded log, and their markup for htmx.

Owns what a watcher reads and sends; it refuses to know how HTML is made (`stream.py`) or sent (consumers).
"""

import re
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from django.utils.safestring import SafeString, mark_safe

MAX_OPS = 2_000
MAX_CHARACTERS = 256_000  # a watcher that lags further than this takes a snapshot, which costs about as much
_ID = re.compile(r"[A-Za-z][\w-]*\Z")
_FIRST_TAG = re.compile(r"<[a-z][a-z0-9]*")

Swap = Literal["beforeend", "innerHTML", "outerHTML"]


@dataclass(frozen=True, slots=True)
class Op:
    """One change: ``html`` (safe) is put to ``target``, a CSS path below the answer's body ("" is the body itself).

    "outerHTML" comes only with html that is exactly one element.
    """

    target: str
    swap: Swap
    html: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The inner HTML of the body with every op below ``cursor`` applied."""

    html: SafeString
    cursor: int


class OpLog:
    """The latest ops, numbered from 0. ``cursor`` is the number of the next one."""

    def __init__(self) -> None:
        self._ops: deque[Op] = deque()
        self._characters = 0
        self.cursor = 0

    def append(self, op: Op) -> None:
        self._ops.append(op)
        self._characters += len(op.html)
        self.cursor += 1
        while len(self._ops) > MAX_OPS or (self._characters > MAX_CHARACTERS and len(self._ops) > 1):
            self._characters -= len(self._ops.popleft().html)

    def since(self, cursor: int) -> list[Op] | None:
        """Return the ops from cursor on, neighbours merged where that is possible; None if some are gone."""
        skipped = cursor - (self.cursor - len(self._ops))
        if skipped < 0 or cursor > self.cursor:
            return None
        merged: list[Op] = []
        for op in islice(self._ops, skipped, None):
            previous = merged[-1] if merged else None
            if previous and op.swap == previous.swap == "beforeend" and op.target == previous.target:
                merged[-1] = Op(op.target, op.swap, previous.html + op.html)
            else:
                merged.append(op)
        return merged


def op_markup(root_id: str, op: Op) -> SafeString:
    """Return op as an out-of-band element for htmx 2, root_id being the id of the answer's body.

    htmx puts the element's children to the target, but for "outerHTML" the element itself (`oobSwap` in htmx 2.0).
    Table rows travel in a <table>, the one parent under which the HTML parser keeps them.
    """
    if not _ID.match(root_id):
        raise ValueError(f"not an element id: {root_id!r}")
    attribute = f'hx-swap-oob="{op.swap}:#{root_id} {op.target}'.rstrip() + '"'
    if op.swap == "outerHTML":
        return mark_safe(
            _FIRST_TAG.sub(lambda tag: f"{tag[0]} {attribute}", op.html, count=1)
        )  # op.html is safe by contract
    wrapper = "table" if op.html.startswith("<tbody") else "div"
    return mark_safe(f"<{wrapper} {attribute}>{op.html}</{wrapper}>")  # op.html is safe by contract
