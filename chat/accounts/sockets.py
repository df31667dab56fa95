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
from importlib import import_module
from types import TracebackType
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from chat import metrics, relay
from chat.accounts.models import User
from chat.accounts.second_factor import lacks_second_factor
from chat.database import AWAY, in_database, in_database_later

# Application close code (RFC 6455 7.4.2): the session behind this socket has ended.
SESSION_ENDED = 4401

# A right that ended behind our back is used for 15 s at most: this, and what it takes to look.
CHECK_SECONDS = 12.0
SESSIONS_AT_ONCE = 500

Close = Callable[[int], None]
# The key of a session and the id of a person; what the two looked like when they were last found to fit.
Holder = tuple[str, int]
Known = dict[Holder, tuple[str | None, Any]]
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
    known: Known = {}
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        with _lock:
            held = {(socket.session_key, socket.user_id) for sockets in _open.values() for socket in sockets}
        try:
            known = await in_database_later(_holding, held, known)
        except AWAY as error:
            logger.warning("Open sockets could not be looked at; they are again in a moment: %s", error)
            continue
        except Exception:
            # Without this watch rights would be used for ever.
            logger.exception("Open sockets could not be looked at; they are again in a moment.")
            continue
        for session_key, user_id in held - known.keys():
            close_sockets(user_id, session_key)


def _holding(held: set[Holder], known: Known) -> Known:
    """Those of ``held`` that still hold, each with what that was decided by: who looks the same as last time is
    not looked at again, since reading a session costs more than finding it."""
    sessions: dict[str, str] = {}
    people: dict[int, tuple[str, int]] = {}
    ordered = sorted(held)
    for start in range(0, len(ordered), SESSIONS_AT_ONCE):
        keys, ids = zip(*ordered[start : start + SESSIONS_AT_ONCE], strict=True)
        rows = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
        sessions.update(rows.values_list("session_key", "session_data"))
        active = User.objects.filter(pk__in=set(ids), is_active=True).only("password", "session_generation")
        people.update((user.pk, (user.password, user.session_generation)) for user in active)
    holding = {}
    for key, user_id in ordered:
        facts = (sessions.get(key), people.get(user_id))
        if known.get((key, user_id)) == facts or session_is_valid(user_id, key):
            holding[key, user_id] = facts
    return holding


async def still_allowed(user_id: int, session_key: str) -> bool:
    """Tell whether the session behind a socket would still be let in: alive, of this active person, not ended since."""
    return await in_database(session_is_valid, user_id, session_key)


def session_is_valid(user_id: int, session_key: str) -> bool:
    """Ask what Django's authentication asks of a request with that session; two queries, nothing written."""
    values = _session(session_key).load()
    asked = ("password", "session_generation", "is_staff", "is_superuser")
    user = User.objects.filter(pk=user_id, is_active=True).only(*asked).first()
    if user is None or values.get(SESSION_KEY) != str(user_id) or BACKEND_SESSION_KEY not in values:
        return False
    if lacks_second_factor(user):
        return False
    return bool(constant_time_compare(values.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()))


def _session(session_key: str) -> SessionBase:
    session: SessionBase = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    return session
