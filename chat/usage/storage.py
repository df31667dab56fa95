"""Counts the text that is stored of each person, without reading it again: a sum that is moved with every change.

Who stores something says by how much the sum moves, last in the same transaction: the row of the sum is then held for
a moment only, and after everything else. What may be stored is decided above, in ``conversations.ceilings``.
"""

import json
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, F, Func, Model, QuerySet, Sum, TextField
from django.db.models.functions import Cast, Coalesce

from chat.prepared import PreparedUpdate, given
from chat.usage.models import StoredText

_MOVE = PreparedUpdate(lambda: StoredText.objects.filter(user=given("user")), bytes=F("bytes") + given("amount"))
_MOVE_WITHIN = PreparedUpdate(
    lambda: StoredText.objects.filter(user=given("user"), bytes__lte=given("most")),
    bytes=F("bytes") + given("amount"),
)


class Bytes(Func):
    """The length of a text in bytes as it is stored."""

    function = "OCTET_LENGTH"
    output_field = BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **extra)


def bytes_in(rows: QuerySet[Any], columns: tuple[str, ...]) -> int:
    """How much these columns of all rows hold, asked of the database."""
    sums = {name: Coalesce(Sum(Bytes(Cast(name, TextField()))), 0) for name in columns}
    return sum(rows.order_by().aggregate(**{f"bytes_of_{name}": found for name, found in sums.items()}).values())


def bytes_of(row: Model, columns: tuple[str, ...]) -> int:
    """How much these columns of one row in memory will hold; JSON counts as it is written."""
    total = 0
    for name in columns:
        # Most are empty; of JSON that is two brackets.
        if value := getattr(row, name):
            total += len((value if isinstance(value, str) else json.dumps(value)).encode())
        elif not isinstance(value, str):
            total += len(json.dumps(value))
    return total


def add(user_id: int, amount: int) -> None:
    """Move a person's sum by ``amount`` bytes; who was never counted is counted whole when it first matters."""
    _MOVE(user=user_id, amount=amount)


def add_within(user_id: int, amount: int, most: int) -> bool:
    """The same, unless the sum would pass ``most``; False where it was not moved, or nobody has counted yet."""
    if amount <= 0:
        return _MOVE(user=user_id, amount=amount) == 1
    return _MOVE_WITHIN(user=user_id, amount=amount, most=most - amount) == 1
