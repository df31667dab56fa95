"""Which sockets are open for whom, so that signing out or switching an account off ends them at once.

Consumers register themselves; synchronous code closes by person or session, in this process and the others. What those
do not hear, and rights taken away behind our back (in SQL), are found by ``watch_forever``, which looks at all open
sockets together.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models import QuerySet, Subquery
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from chat import metrics, relay
from chat.accounts.models import User
from chat.accounts.second_factor import lacks_second_factor
from chat.database import AWAY, in_database, in_database_later
from chat.prepared import Prepared, given

# Application close code (RFC 6455 7.4.2): the session behind this socket has ended.
SESSION_ENDED = 4401

# A right that ended behind our back is used for 15 s at most: this, and what it takes to look.
CHECK_SECONDS = 12.0
SESSIONS_AT_ONCE = 500

Close = Callable[[int], None]
# The key of a session and the id of a person; what decides whether the two fit: ``ASKED`` of the person, and the
# session's data.
Holder = tuple[str, int]
Facts = tuple[str, int, bool, bool, str | None]
ASKED = ("password", "session_generation", "is_staff", "is_superuser")
_FACTS = Prepared(
    lambda: User.objects.filter(pk=given("user"), is_active=True).values_list(
        *ASKED,
        Subquery(_alive(given("now")).filter(session_key=given("key")).values("session_data")),
    )
)
logger = logging.getLogger(__name__)


@dataclass(eq=False)
class OpenSocket:
    """One registered socket; ``release`` when it closes, or use it as a context manager."""

    user_id: int
    session_key: str
    close: Close = field(repr=False)
    loop: asyncio.AbstractEventLoop = field(repr=False)

    def release(self) -> None:
        with _lock:
            _open.get(self.user_id, set()).discard(self)
            if not _open.get(self.user_id):
                _open.pop(self.user_id, None)

    def __enter__(self) -> "OpenSocket":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


_lock = threading.Lock()
_open: dict[int, set[OpenSocket]] = {}
# As they looked when they were last found to fit: who looks the same is not looked at again, since reading a session
# costs more than finding it. Only those of open sockets are kept.
_fitting: dict[Holder, Facts] = {}
metrics.OPEN_SOCKETS.set_function(lambda: sum(len(sockets) for sockets in list(_open.values())))


def register(user_id: int, session_key: str, close: Close) -> OpenSocket:
    """Remember an open socket. Call on its event loop, where ``close(code)`` will be called too, at most once."""
    socket = OpenSocket(user_id, session_key, close, asyncio.get_running_loop())
    with _lock:
        _open.setdefault(user_id, set()).add(socket)
    return socket


def close_sockets(user_id: int, session_key: str | None = None, code: int = SESSION_ENDED) -> int:
    """Close this person's sockets, or only those of one session; return how many here. Safe from any thread."""
    relay.tell("session ended", [user_id, session_key, code])
    return _close(user_id, session_key, code)


@relay.listen("session ended")
def _hear(sender: int, words: list[Any]) -> None:
    user_id, session_key, code = words
    _close(user_id, session_key, code)


def _close(user_id: int, session_key: str | None, code: int) -> int:
    with _lock:
        doomed = [s for s in _open.get(user_id, ()) if session_key is None or s.session_key == session_key]
    for socket in doomed:
        socket.release()
        # A loop that has ended took its sockets with it.
        if not socket.loop.is_closed():
            socket.loop.call_soon_threadsafe(socket.close, code)
    return len(doomed)


def open_sockets(user_id: int) -> int:
    """How many sockets this person has open in this process."""
    with _lock:
        return len(_open.get(user_id, ()))


async def watch_forever() -> None:
    """End the sockets whose session does not hold any more, every few seconds."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        with _lock:
            held = {(socket.session_key, socket.user_id) for sockets in _open.values() for socket in sockets}
        try:
            holding = await in_database_later(_holding, held)
        except AWAY as error:
            logger.warning("Open sockets could not be looked at; they are again in a moment: %s", error)
            continue
        except Exception:
            # Without this watch rights would be used for ever.
            logger.exception("Open sockets could not be looked at; they are again in a moment.")
            continue
        for session_key, user_id in held - holding:
            close_sockets(user_id, session_key)
        for holder in _fitting.keys() - holding:
            _fitting.pop(holder, None)


def _holding(held: set[Holder]) -> set[Holder]:
    """Those of ``held`` that still hold."""
    sessions: dict[str, str] = {}
    people: dict[int, list[Any]] = {}
    ordered = sorted(held)
    for start in range(0, len(ordered), SESSIONS_AT_ONCE):
        keys, ids = zip(*ordered[start : start + SESSIONS_AT_ONCE], strict=True)
        rows = _alive(timezone.now()).filter(session_key__in=keys)
        sessions.update(rows.values_list("session_key", "session_data"))
        active = User.objects.filter(pk__in=set(ids), is_active=True)
        people.update((pk, facts) for pk, *facts in active.values_list("pk", *ASKED))
    return {
        (key, user_id)
        for key, user_id in ordered
        if user_id in people and _fits((key, user_id), (*people[user_id], sessions.get(key)))
    }


def _alive(now: datetime) -> QuerySet[Session]:
    return Session.objects.filter(expire_date__gt=now)


async def still_allowed(user_id: int, session_key: str) -> bool:
    """Tell whether the session behind a socket would still be let in: alive, of this active person, not ended since."""
    return await in_database(session_is_valid, user_id, session_key)


def session_is_valid(user_id: int, session_key: str) -> bool:
    """Ask what Django's authentication asks of a request with that session; one query, nothing written."""
    facts = _FACTS.first(user=user_id, key=session_key, now=timezone.now())
    return facts is not None and _fits((session_key, user_id), facts)


def _fits(holder: Holder, facts: Facts) -> bool:
    """Whether a session as it is in the database is one of this active person, who may do something in it."""
    if _fitting.get(holder) != facts and not _is_theirs(holder, facts):
        return False
    _, _, is_staff, is_superuser, _ = facts
    # Not among the facts: administrators only are asked for it, and each time.
    return not (is_staff or is_superuser) or not lacks_second_factor(User(pk=holder[1], is_staff=True))


def _is_theirs(holder: Holder, facts: Facts) -> bool:
    password, generation, _, _, data = facts
    if data is None:
        return False
    values = SessionStore().decode(data)
    user = User(password=password, session_generation=generation)
    if values.get(SESSION_KEY) != str(holder[1]) or BACKEND_SESSION_KEY not in values:
        return False
    if not constant_time_compare(values.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return False
    _fitting[holder] = facts
    return True
