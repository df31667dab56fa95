"""Where a page finds the draft that it shows, whichever process writes it.

A run that is not written here is asked for, and what its owner tells becomes a mirror. Pages read a mirror as they
read a draft. It stays while somebody reads it and a little longer.
"""

import time
from collections.abc import Callable, Iterable

from chat import metrics, relay
from chat.runs import broadcast, supervisor
from chat.runs.draft import Draft
from chat.runs.mirror import Entry, Mirror

# All that is watched is asked for again; an owner forgets after three times as long.
KEEP_SECONDS = 5.0
# What no page has looked for since is forgotten.
FORGET_SECONDS = 15.0
# Between two askings for a text of which something was missed.
PATIENCE_SECONDS = 1.0


class Watched:
    """A run that pages of this process want to read. ``is_there``: something of it has come, from ``teller``."""

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        self.is_there = False
        self.teller: int | None = None
        self.looked_for_at = 0.0
        self.asked_at = 0.0
        self.ask_at = 0.0


class Watching:
    """All runs of other processes that pages here want to read."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: dict[int, Watched] = {}
        self._keep_at = 0.0

    def draft_of(self, run_id: int) -> Draft | None:
        """The mirror of a run; where there is none, one is asked for."""
        watched = self._watched.get(run_id)
        if watched is None:
            watched = self._watched[run_id] = Watched(Mirror(run_id, self._clock))
            relay.wake()
        watched.looked_for_at = self._clock()
        return watched.mirror if watched.is_there else None

    def take(self, process: int, entries: Iterable[Entry]) -> None:
        """Bring the mirrors up to what their owner told. Only one process writes a run: who tells of the same one
        serves a copy of this installation, where it is another."""
        for entry in entries:
            watched = self._watched.get(entry[0])
            if watched is not None and watched.teller in (None, process):
                watched.mirror.apply_entry(entry)
                watched.teller = process if watched.mirror.is_sure else watched.teller
                self._follow(watched)

    def doubt(self) -> None:
        """Something was missed: all texts are wanted whole."""
        for watched in self._watched.values():
            watched.mirror.doubt()
            watched.ask_at = watched.asked_at + PATIENCE_SECONDS
        metrics.GAPS.inc(len(self._watched))
        relay.wake()

    def collect(self) -> list[tuple[int, relay.Word]]:
        """What to tell all other processes now: which runs are wanted whole, and once in a while which still are."""
        now = self._clock()
        words: list[tuple[int, relay.Word]] = []
        if now >= self._keep_at:
            self._keep_at = now + KEEP_SECONDS
            self._forget(now)
            if sure := [run_id for run_id, watched in self._watched.items() if watched.mirror.is_sure]:
                words.append((relay.EVERYBODY, ("keep", sure)))
        wanted = {
            run_id: watched
            for run_id, watched in self._watched.items()
            if watched.ask_at <= now and not watched.mirror.is_sure
        }
        for watched in wanted.values():
            watched.asked_at, watched.ask_at = now, now + KEEP_SECONDS
        if wanted:
            words.append((relay.EVERYBODY, ("ask", list(wanted))))
        return words

    def _follow(self, watched: Watched) -> None:
        mirror = watched.mirror
        if not mirror.is_sure:
            # Its owner takes it for whole.
            watched.ask_at = min(watched.ask_at, watched.asked_at + PATIENCE_SECONDS)
        elif not watched.is_there:
            watched.is_there = True
            broadcast.deliver(mirror.topic, broadcast.RunStarted(mirror.run_id))
        if mirror.ended:
            del self._watched[mirror.run_id]

    def _forget(self, now: float) -> None:
        for run_id, watched in list(self._watched.items()):
            if not watched.mirror.watchers and now - watched.looked_for_at > FORGET_SECONDS:
                del self._watched[run_id]


_watching = Watching()


def draft_of(run_id: int) -> Draft | None:
    """The live draft of a run, or None where there is none to be read now; ``RunStarted`` tells when one comes."""
    draft = supervisor.draft_of(run_id)
    return _watching.draft_of(run_id) if draft is None and relay.is_on() else draft


@relay.listen("text")
def _hear(process: int, entries: list[Entry]) -> None:
    _watching.take(process, entries)


@relay.on_loss
def _doubt(process: int) -> None:
    _watching.doubt()


@relay.collect
def _collect() -> list[tuple[int, relay.Word]]:
    return _watching.collect()
