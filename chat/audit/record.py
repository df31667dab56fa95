"""``record``: the one way into the audit log, called in the transaction of what it tells, so that both hold or neither.

Nothing secret may stand in it: details are plain values, those under a name that tells of a secret are left out, and
whatever looks like a token is masked.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from django.db.models import Model

from chat import request_ids
from chat.audit.models import AuditEntry
from chat.providers.credential import mask_tokens

HIDDEN = "•••"
LONGEST_TEXT = 300
# Names of what must not be told, wherever it comes from.
SECRET_NAME = re.compile(r"secret|password|token(?!s)|sealed|credential|authorization|header|hash", re.IGNORECASE)


class Verb(StrEnum):
    """What was done, as the log says it: "ada granted Team key …ab12 → Everyone"."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    GRANTED = "granted"
    REVOKED = "revoked"
    ROTATED = "rotated"
    FIRST_USED = "first used"
    PARKED = "parked"
    COOLED = "cooled down"
    FAILED = "found failing"


class Actor(Protocol):
    """A person, or nobody in particular."""

    @property
    def pk(self) -> Any: ...

    def get_username(self) -> str: ...


def record(actor: Actor | None, verb: Verb, subject: Model, details: Mapping[str, Any] | None = None) -> None:
    """Note that ``actor`` did this to ``subject``; None for the playground itself and its command line.

    Call it before a subject is deleted, while it still has its id. ``details`` hold plain values; a change of a field
    is ``{"from": …, "to": …}``. Their names and that of the subject are shown to administrators.
    """
    AuditEntry.objects.create(
        actor_id=actor.pk if actor else None,
        actor_name=actor.get_username()[:150] if actor else "",
        verb=str(verb),
        subject_kind=str(subject._meta.verbose_name)[:60],
        subject_id="" if subject.pk is None else str(subject.pk)[:40],
        subject_name=_text(str(subject))[:200],
        details=_plain(dict(details or {})),
        request_id=request_ids.current(),
    )


def tells_a_secret(name: str) -> bool:
    """Whether a value under this name has no place in the log."""
    return SECRET_NAME.search(name) is not None


def _plain(value: Any, name: str = "") -> Any:
    if tells_a_secret(name) and value not in (None, "", True, False):
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(key): _plain(held, str(key)) for key, held in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool | int | float):
        return _text(value) if isinstance(value, str) else value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Sequence | set | frozenset):
        return [_plain(held) for held in value]
    return _text(str(value))


def _text(value: str) -> str:
    text = mask_tokens(value)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
