"""Seals every stored secret anew under the newest encryption key, row by row, while others use and replace them.

What is sealed with the newest already is passed over, so it can be broken off and begun again at any time. Called by
``manage.py rotate_encryption_key`` and by the restoring of a backup. Who seals elsewhere has it ``register``ed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, QuerySet
from django.views.decorators.debug import sensitive_variables

from chat.keys.errors import SecretTampered, SecretUnreadable
from chat.keys.fingerprint import fingerprint
from chat.keys.models import PersonalKey, SharedKey
from chat.keys.vault import Binding, open_sealed, seal, sealed_with_newest


@dataclass(frozen=True)
class Sealed:
    """A column of sealed secrets: its rows, its name, and what the secret of a row is bound to."""

    rows: Callable[[], QuerySet[Any]]
    column: str
    binding: Callable[[Any], Binding]

    def filled(self) -> Iterator[Any]:
        return self.rows().exclude(**{self.column: ""}).order_by("pk").iterator(chunk_size=200)

    def of(self, row: Any) -> str:
        sealed: str = getattr(row, self.column)
        return sealed

    def replace(self, row: Any, old: str, fresh: dict[str, str]) -> int:
        """Store what is new of a row, unless somebody has just replaced ``old``; return 1 if it was stored."""
        return self.rows().filter(pk=row.pk, **{self.column: old}).update(**fresh)


@dataclass
class Resealed:
    """How many secrets were sealed anew, and which rows' could not be opened, as people see them."""

    number: int = 0
    unreadable: list[str] = field(default_factory=list)


_columns = [
    Sealed(PersonalKey.objects.all, "sealed", Binding.of),
    Sealed(SharedKey.objects.all, "sealed", Binding.of),
]


def register(column: Sealed) -> None:
    """Have a column of another package's table sealed anew with the others."""
    _columns.append(column)


def reseal_all() -> Resealed:
    """Seal all secrets that need it. Those that cannot be opened stay as they are."""
    done = Resealed()
    for column in _columns:
        for row in column.filled():
            try:
                done.number += _reseal(column, row)
            except SecretUnreadable:
                done.unreadable.append(f"{row} ({row._meta.verbose_name} {row.pk})")
    return done


def are_left() -> bool:
    """Whether a secret is sealed with an older key: one was stored while others were sealed anew."""
    return any(_is_old(column.of(row)) for column in _columns for row in column.filled())


def _is_old(sealed: str) -> bool:
    try:
        return not sealed_with_newest(sealed)
    except SecretTampered:
        return False


@sensitive_variables("secret")
def _reseal(column: Sealed, row: Model) -> int:
    """1 if the secret was sealed anew, else 0: it need not be, or somebody has just replaced it."""
    old = column.of(row)
    secret, fresh = open_sealed(old, column.binding(row)), {}
    if not sealed_with_newest(old):
        fresh[column.column] = seal(secret, column.binding(row))
    if isinstance(row, SharedKey) and row.fingerprint and row.fingerprint != fingerprint(secret):
        fresh["fingerprint"] = fingerprint(secret)
    if not fresh:
        return 0
    changed = column.replace(row, old, fresh)
    return changed if column.column in fresh else 0
