"""What this process tells others of the drafts that it writes: new text, to those who asked for it a while ago at most.

A process asks for runs by their ids and says so again and again; whose it is answers. Read in each round of the relay,
so that what waits for a slow network is in the drafts and nowhere else. The engine holds it.
"""

import time
from collections.abc import Callable, Iterable

from chat import relay
from chat.runs.draft import Draft
from chat.runs.mirror import Entry, Feed

# Who asked last before that, watches no longer: three times what lies between two askings.
LEASE_SECONDS = 15.0
# What one process is told whole in one round; further drafts wait for the next.
WHOLE_CHARACTERS = 1_000_000


class Lent:
    """One run that others asked for: until when each of them wants it, and who has nothing of it yet."""

    def __init__(self) -> None:
        self.feed: Feed | None = None
        self.until: dict[int, float] = {}
        self.new: set[int] = set()


class Lending:
    """All that others asked this process for, whether it writes it, will write it, or never does."""

    def __init__(self, draft_of: Callable[[int], Draft | None], clock: Callable[[], float] = time.monotonic) -> None:
        self._draft_of = draft_of
        self._clock = clock
        self._lent: dict[int, Lent] = {}
        self._told_at: dict[int, float] = {}

    def ask(self, process: int, run_ids: Iterable[int]) -> None:
        """These are wanted whole, by a process that has nothing of them or has missed something."""
        for run_id in run_ids:
            lent = self._lent.setdefault(run_id, Lent())
            lent.until[process] = self._clock() + LEASE_SECONDS
            lent.new.add(process)
        relay.wake()

    def keep(self, process: int, run_ids: Iterable[int]) -> None:
        """These are still wanted."""
        run_ids = list(run_ids)
        known = [run_id for run_id in run_ids if process in self._until(run_id)]
        for run_id in known:
            self._lent[run_id].until[process] = self._clock() + LEASE_SECONDS
        self.ask(process, set(run_ids) - set(known))

    def collect(self) -> list[tuple[int, relay.Word]]:
        """What to tell whom now. Who is told nothing for a while is told so, and finds out what it missed."""
        now = self._clock()
        told: dict[int, list[Entry]] = {}
        for run_id, lent in list(self._lent.items()):
            self._drop_late(run_id, lent, now)
            if lent.until and self._has_feed(run_id, lent):
                self._tell(run_id, lent, told)
        for process in self._watching():
            if process in told or now - self._told_at.get(process, 0.0) > relay.BEAT_SECONDS:
                told.setdefault(process, [])
                self._told_at[process] = now
        return [(process, ("text", entries)) for process, entries in told.items()]

    def _tell(self, run_id: int, lent: Lent, told: dict[int, list[Entry]]) -> None:
        feed = lent.feed
        assert feed is not None
        if feed.has_news:
            entry = feed.take()
            for process in lent.until.keys() - lent.new:
                told.setdefault(process, []).append(entry)
        if lent.new:
            whole = feed.whole()
            for process in list(lent.new):
                entries = told.setdefault(process, [])
                if sum(len(entry[2]) + len(entry[3]) for entry in entries) < WHOLE_CHARACTERS:
                    entries.append(whole)
                    lent.new.discard(process)
        if feed.draft.ended and not lent.new:
            self._drop(run_id)

    def _has_feed(self, run_id: int, lent: Lent) -> bool:
        """Whether this process writes the run, perhaps since a moment ago."""
        if lent.feed is None and (draft := self._draft_of(run_id)) is not None:
            lent.feed = Feed(draft)
            draft.watchers.add(relay.wake)
        return lent.feed is not None

    def _drop_late(self, run_id: int, lent: Lent, now: float) -> None:
        for process in [process for process, until in lent.until.items() if until < now]:
            del lent.until[process]
            lent.new.discard(process)
        if not lent.until:
            self._drop(run_id)

    def _drop(self, run_id: int) -> None:
        lent = self._lent.pop(run_id)
        if lent.feed is not None:
            lent.feed.draft.watchers.discard(relay.wake)

    def _until(self, run_id: int) -> dict[int, float]:
        return self._lent[run_id].until if run_id in self._lent else {}

    def _watching(self) -> set[int]:
        return {process for lent in self._lent.values() if lent.feed is not None for process in lent.until}
