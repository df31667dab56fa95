"""``kill -9`` at random moments: what had ended is intact, what had not is kept and said to be cut off."""

import asyncio
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.fake_provider import FakeProvider
from tests.playground_process import PlaygroundProcess
from tests.soak.page import Chat, Page
from tests.soak.world import alive, last_sent, make_chats, numbers_in, rows, server_at, stored_answers
from tests.waiting import eventually

# One of them is done at about the moment in which its process is killed.
RATES = (20, 20, 50, 400)
AT_ONCE = 2
# Another process takes one that is silent for dead, then ends its runs.
ENDED_WITHIN = 15.0
# As many steps as make up what may be lost.
LOOKED_BACK = 25
# Logs who writes what: the name of a connection is that of its process.
LOG_WRITERS = """
CREATE TABLE written (run bigint NOT NULL, process text NOT NULL);
CREATE TABLE rewritten (run bigint NOT NULL);
CREATE FUNCTION log_chunk() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO written VALUES (NEW.run_id, current_setting('application_name')); RETURN NEW; END $$;
CREATE FUNCTION log_end() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO rewritten VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER log_chunk AFTER INSERT ON chat_runchunk FOR EACH ROW EXECUTE FUNCTION log_chunk();
CREATE TRIGGER log_end AFTER UPDATE ON chat_run FOR EACH ROW
    WHEN (OLD.finished_at IS NOT NULL AND (OLD.text, OLD.status) IS DISTINCT FROM (NEW.text, NEW.status))
    EXECUTE FUNCTION log_end();
"""


@dataclass(frozen=True)
class Life:
    """What one process was doing when it was killed; ``seen_done`` are the runs that pages showed as done before.

    ``stolen``: how many of the last seconds others had the processor, which is nothing that the product loses.
    """

    killed_at: float
    stolen: float
    runs: dict[int, Chat]
    seen_done: set[int]


@dataclass(frozen=True)
class Trial:
    """The chats of all lives, four for each, and what may be lost of an answer, in seconds."""

    provider: FakeProvider
    chats: list[Chat]
    lost_at_most: float

    async def live(self, server: PlaygroundProcess, number: int, chance: random.Random) -> Life:
        """Ask in four chats, and kill the process in the middle of the answers."""
        pages = [Page(chat) for chat in self.chats[number * len(RATES) : (number + 1) * len(RATES)]]
        for page in pages:
            await page.connect(server.url)
            await page.send(page.chat.id)
        await eventually(lambda: all(page.text for page in pages), 60)
        stolen = await lateness(chance.uniform(0.0, 1.0))
        seen_done = {page.run for page in pages if page.statuses.get(page.run) == "done"}
        server.process.send_signal(signal.SIGKILL)
        killed_at = time.monotonic()
        await asyncio.to_thread(server.process.wait)
        for page in pages:
            await page.drop()
        return Life(killed_at, stolen, {page.run: page.chat for page in pages}, seen_done)

    def check(self, life: Life, stored: dict[int, tuple[str, str, str]]) -> None:
        asked_at = {record.body["messages"][-1]["content"]: record.at for record in self.provider.chats}
        for (run, chat), rate in zip(sorted(life.runs.items(), key=self._place), RATES, strict=True):
            status, text, _ = stored[run]
            numbers = numbers_in(text)
            if status == "done" or run in life.seen_done:
                assert (status, numbers) == ("done", list(range(400)))
                continue
            assert (status, numbers) == ("interrupted", list(range(len(numbers))))
            # The first token that is missing was sent so long after the last that is there.
            missing_since = last_sent(text) + 1 / rate if numbers else asked_at[chat.id]
            assert life.killed_at - missing_since <= self.lost_at_most + life.stolen

    def _place(self, run: tuple[int, Chat]) -> int:
        return self.chats.index(run[1])


async def lateness(seconds: float) -> float:
    """Sleep so long; return how many of the last seconds others had the processor."""
    step, late, waited = 0.02, [0.0], [waited_for_a_processor()]
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        await asyncio.sleep(step)
        late.append(time.monotonic() - now - step)
        waited.append(waited_for_a_processor())
    return max(sum(late[-LOOKED_BACK:]), waited[-1] - waited[-LOOKED_BACK:][0])


def waited_for_a_processor() -> float:
    """Seconds in which something on this machine wanted to run and could not, where Linux tells."""
    pressure = Path("/proc/pressure/cpu")
    return int(pressure.read_text(encoding="ascii").split("total=")[1].split()[0]) / 1e6 if pressure.exists() else 0.0


@pytest.fixture
def lost_at_most(full: bool) -> float:
    """Seconds. Beside other tests the journal may be late."""
    return 0.5 if full else 2.0


def chats_for(lives: int, server: PlaygroundProcess, provider: FakeProvider) -> list[Chat]:
    kinds = [
        make_chats(server, provider.base_url, f"at{place}x", lives, f"fake/paced:{rate}")
        for place, rate in enumerate(RATES)
    ]
    return [chat for life in zip(*kinds, strict=True) for chat in life]


@pytest.mark.sqlite
async def test_a_process_that_is_killed_again_and_again_loses_half_a_second_at_most(
    tmp_path: Path, provider: FakeProvider, times: Callable[[int, int], int], lost_at_most: float
) -> None:
    lives, chance = times(2, 100), random.Random(3)
    with server_at(tmp_path) as server:
        trial = Trial(provider, chats_for(lives, server, provider), lost_at_most)
    kept: dict[int, tuple[str, str, str]] = {}
    life: Life | None = None
    for number in range(lives + 1):
        async with alive(server_at(tmp_path, PORT=str(server.port))) as server:
            stored = stored_answers(server)
            assert kept.items() <= stored.items()
            kept = stored
            if life is not None:
                # Nobody was there to end them before; the first page already shows them ended.
                trial.check(life, stored)
            if number < lives:
                life = await trial.live(server, number, chance)


@pytest.mark.postgres
async def test_processes_that_are_killed_beside_another_lose_half_a_second_at_most(
    tmp_path: Path, provider: FakeProvider, times: Callable[[int, int], int], lost_at_most: float
) -> None:
    lives, turn = times(2, 100), asyncio.Semaphore(AT_ONCE)
    with server_at(tmp_path) as survivor:
        trial = Trial(provider, chats_for(lives, survivor, provider), lost_at_most)
        database = survivor.environment["DATABASE_URL"]
        with psycopg.connect(database) as stored:
            stored.execute(LOG_WRITERS)

        async def be_killed(number: int) -> None:
            async with turn:
                named = server_at(tmp_path, DATABASE_URL=f"{database}?application_name=process{number}")
                async with alive(named) as doomed:
                    life = await trial.live(doomed, number, random.Random(number))
            watching = Page(next(iter(life.runs.values())))
            await watching.connect(survivor.url)
            until = life.killed_at + ENDED_WITHIN
            while await asyncio.to_thread(rows, survivor, unsettled(life)) and time.monotonic() < until:
                await asyncio.sleep(0.2)
            stored = await asyncio.to_thread(stored_answers, survivor)
            trial.check(life, stored)
            await eventually(lambda: watching.has_ended, 20)
            assert numbers_in(watching.text) == numbers_in(stored[watching.run][1])
            await watching.drop()

        await asyncio.gather(*(be_killed(number) for number in range(lives)))

        assert rows(survivor, "SELECT run FROM written GROUP BY run HAVING count(DISTINCT process) > 1") == []
        assert rows(survivor, "SELECT run FROM rewritten") == []
        # That the log was kept; a few are killed before they have written anything.
        assert len(rows(survivor, "SELECT DISTINCT process FROM written")) > lives // 2


def unsettled(life: Life) -> str:
    return f"SELECT id FROM chat_run WHERE finished_at IS NULL AND id IN ({', '.join(map(str, life.runs))})"
