"""What the serving processes of one installation tell each other, through the channel layer, where there is one.

One task of each process talks to it and tries again for ever; nothing else touches it, so that with Redis away
sockets and runs go on. What is told may be lost: messages are numbered, and a gap in anybody's numbers, one's own
included, is told to those ``on_loss``. What the words mean is the business of those who ``listen``. All of them are
called on the event loop. Without a layer nothing is told and nobody is heard.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from channels.layers import get_channel_layer

# Between two rounds: live text for other processes is collected for so long.
ROUND_SECONDS = 0.04
# Everybody is heard at least so often.
BEAT_SECONDS = 1.0
# A process that does not hear even itself for so long, and so often, has lost the connection. Often, because one that
# was busy for that long has merely not listened.
SILENCE_SECONDS = 4.0
MOST_UNHEARD = 3
RETRY_SECONDS = 1.0
# What waits to be told; beyond it the oldest is lost, as anything may be.
MOST_WORDS = 2_000
WORDS_AT_ONCE = 500
# Who has said nothing for so long has ended; one that is forgotten earlier could come back with a gap unnoticed.
FORGET_SECONDS = 86_400.0
END_SECONDS = 1.0
EVERYBODY = 0

Word = tuple[str, Any]
Listen = Callable[[int, Any], None]
Collect = Callable[[], list[tuple[int, Word]]]

_listeners: dict[str, Listen] = {}
_on_loss: list[Callable[[int], None]] = []
_on_change: list[Callable[[], None]] = []
_collectors: list[Collect] = []
logger = logging.getLogger(__name__)


def listen(kind: str) -> Callable[[Listen], Listen]:
    """Have the decorated function called with the id of the process that told words of this kind, and with each."""

    def register(receive: Listen) -> Listen:
        _listeners[kind] = receive
        return receive

    return register


def on_loss(call: Callable[[int], None]) -> Callable[[int], None]:
    """Have it called with the id of a process, perhaps this one's, of which something was not heard."""
    _on_loss.append(call)
    return call


def on_change(call: Callable[[], None]) -> Callable[[], None]:
    """Have it called when ``is_away`` changes."""
    _on_change.append(call)
    return call


def collect(call: Collect) -> Collect:
    """Have it asked in each round what to tell which process, or ``EVERYBODY``."""
    _collectors.append(call)
    return call


class Numbers:
    """Tells whether something is missing from what one speaker said."""

    def __init__(self, before: int) -> None:
        self.last = before
        self.heard_at = time.monotonic()

    def take(self, number: int) -> tuple[bool, bool]:
        """Whether this is news, and whether something before it is missing."""
        self.heard_at = time.monotonic()
        expected, is_news = self.last + 1, number > self.last
        self.last = max(self.last, number)
        return is_news, is_news and number != expected


class Relay:
    """This process's end. ``is_up``: it hears itself through the layer, and so others too."""

    def __init__(self, layer: Any) -> None:
        # Here, because who does without Redis need not wait for its library.
        from redis.exceptions import RedisError

        self._errors = (RedisError, OSError, TimeoutError)
        self.id = secrets.randbits(48)
        self.loop = asyncio.get_running_loop()
        self.is_up = False
        self.is_away = False
        self._layer = layer
        self._words: deque[Word] = deque()
        self._wanted = asyncio.Event()
        self._numbers_given: dict[int, int] = {}
        self._numbers_heard: dict[tuple[int, int], Numbers] = {}
        self._heard_itself = 0.0
        self._unheard = 0
        self._is_ending = False

    def wake(self) -> None:
        self._wanted.set()

    def say(self, word: Word) -> None:
        if len(self._words) == MOST_WORDS:
            self._words.popleft()
            self._number(EVERYBODY)
        self._words.append(word)
        self._wanted.set()

    def end(self) -> None:
        """Say what still waits, if somebody hears it, and end."""
        self._is_ending = True
        self._wanted.set()

    async def live(self) -> None:
        """Talk and listen until told to end, whatever becomes of the connection."""
        attempts = 0
        while not self._is_ending:
            attempts += 1
            try:
                await self._talk()
            except self._errors as error:
                logger.debug("No connection to the other processes: %s", error)
            except Exception:
                logger.exception("The connection to the other processes broke; it is made anew.")
            # The first failure may be a matter of a moment.
            if attempts > 1 and not self.is_up:
                self._go_away()
            attempts, self.is_up = attempts if not self.is_up else 1, False
            if not self._is_ending:
                await asyncio.sleep(RETRY_SECONDS)

    async def _talk(self) -> None:
        """One connection, from its beginning to its end."""
        reader: asyncio.Task[None] | None = None
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                channel = await self._layer.new_channel()
                await self._layer.group_add(_group(EVERYBODY), channel)
                await self._layer.group_add(_group(self.id), channel)
            self._heard_itself, self._unheard = time.monotonic(), 0
            reader = asyncio.create_task(self._read(channel))
            while not reader.done():
                await self._round()
                if self._is_ending and not self._words:
                    return
                await asyncio.sleep(ROUND_SECONDS)
            await reader
        finally:
            # First: a reader that is cancelled before would take its leave of a server that is not there.
            async with asyncio.timeout(SILENCE_SECONDS):
                await self._layer.flush()
            if reader is not None:
                reader.cancel()
                await asyncio.gather(reader, return_exceptions=True)

    async def _round(self) -> None:
        """Say what there is to say."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                await self._wanted.wait()
        if self._unheard >= MOST_UNHEARD and time.monotonic() - self._heard_itself > SILENCE_SECONDS:
            raise TimeoutError("it has fallen silent")
        self._wanted.clear()
        words = [self._words.popleft() for _ in range(min(len(self._words), WORDS_AT_ONCE))]
        if self._words:
            self._wanted.set()
        mail: dict[int, list[Word]] = {}
        for target, word in [what for call in _collectors for what in call()]:
            mail.setdefault(target, []).append(word)
        # Last, because the words may speak of the end of what was collected.
        mail[EVERYBODY] = mail.pop(EVERYBODY, []) + words
        # Numbered before anything is sent: where that fails, the others will miss all of it.
        messages = [(target, [self.id, target, self._number(target), words]) for target, words in mail.items()]
        for target, message in messages:
            async with asyncio.timeout(SILENCE_SECONDS):
                await self._layer.group_send(_group(target), message)
        self._unheard += 1
        self._forget_the_silent()

    def _number(self, target: int) -> int:
        number = self._numbers_given[target] = self._numbers_given.get(target, 0) + 1
        return number

    async def _read(self, channel: str) -> None:
        while True:
            sender, target, number, words = await self._layer.receive(channel)
            if self._is_news(sender, target, number):
                for kind, what in words:
                    if kind in _listeners:
                        _call(_listeners[kind], sender, what)

    def _is_news(self, sender: int, target: int, number: int) -> bool:
        """Whether it is somebody else's and was not heard before; tells when something before it is missing."""
        is_own = sender == self.id
        if is_own:
            self._come_up()
        numbers = self._numbers_heard.get((sender, target))
        if numbers is None:
            # What others said before this process listened is not missing.
            numbers = self._numbers_heard[sender, target] = Numbers(0 if is_own else number - 1)
        is_news, is_gap = numbers.take(number)
        if is_gap:
            for call in _on_loss:
                _call(call, sender)
        return is_news and not is_own

    def _come_up(self) -> None:
        self._heard_itself, self._unheard = time.monotonic(), 0
        self.is_up = True
        if self.is_away:
            self.is_away = False
            logger.warning("Redis is back: other processes are heard again.")
            self._tell_of_change()

    def _go_away(self) -> None:
        if not self.is_away:
            self.is_away = True
            logger.warning("Redis is away: other processes are not heard until it is back.")
            self._tell_of_change()

    def _tell_of_change(self) -> None:
        for call in _on_change:
            _call(call)

    def _forget_the_silent(self) -> None:
        long_ago = time.monotonic() - FORGET_SECONDS
        for speaker in [speaker for speaker, numbers in self._numbers_heard.items() if numbers.heard_at < long_ago]:
            del self._numbers_heard[speaker]


_relay: Relay | None = None
_task: asyncio.Task[None] | None = None


async def start() -> None:
    """Begin to talk and listen, if there is a layer."""
    global _relay, _task
    layer = get_channel_layer()
    if layer is not None:
        _relay = Relay(layer)
        _task = asyncio.create_task(_relay.live(), name="The relay")


async def stop() -> None:
    """Say what still waits, as far as that is possible at once, and end."""
    global _relay, _task
    if _relay is not None and _task is not None:
        _relay.end()
        await asyncio.wait([_task], timeout=END_SECONDS)
        _task.cancel()
        await asyncio.gather(_task, return_exceptions=True)
    _relay = _task = None


def is_on() -> bool:
    """Whether this process belongs to several that hear each other, now or when Redis is back."""
    return _relay is not None


def is_away() -> bool:
    """Whether other processes cannot be heard just now."""
    return _relay is not None and _relay.is_away


def tell(kind: str, what: Any) -> None:
    """Tell all other processes, soon; callable from any thread. ``what`` is made of plain values."""
    relay = _relay
    if relay is not None and not relay.loop.is_closed():
        relay.loop.call_soon_threadsafe(relay.say, (kind, what))


def wake() -> None:
    """Have a round soon, because there is something to collect. For the event loop's thread."""
    if _relay is not None:
        _relay.wake()


def _group(target: int) -> str:
    return f"process.{target:x}" if target else "all"


def _call(call: Callable[..., None], *args: Any) -> None:
    """Whoever trips over what was heard keeps nobody else from hearing."""
    try:
        call(*args)
    except Exception:
        logger.exception("What another process said could not be used.")
