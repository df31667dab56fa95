"""daphne with an orderly end.

It owns the event loop, the signals and the order in which things end: no new connections, sockets closed with a code
that tells pages to come back, runs given time to finish, then the process. It knows nothing of what is served.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Protocol

from twisted.internet import asyncioreactor

if sys.platform == "win32":
    loop = asyncio.SelectorEventLoop()
else:
    import uvloop

    loop = uvloop.new_event_loop()
# daphne takes the reactor it finds, and must find this one: its loop is faster.
asyncioreactor.install(loop)

import daphne.server  # noqa: E402
from daphne.endpoints import build_endpoint_description_strings  # noqa: E402
from daphne.http_protocol import WebRequest  # noqa: E402
from daphne.server import Server  # noqa: E402
from daphne.ws_protocol import WebSocketProtocol  # noqa: E402
from twisted.internet.defer import maybeDeferred  # noqa: E402

from chat.serving.bodies import BoundedFactory  # noqa: E402

# daphne makes its factory itself and takes no other.
daphne.server.HTTPFactory = BoundedFactory

# Tells the page that the server is leaving and that it should connect again (the 4000 range is for applications,
# RFC 6455 7.4.2; the library cannot send 1012).
LEAVING = 4012
# Somebody at a keyboard does not wait for answers to finish.
INTERRUPT_DRAIN_SECONDS = 1.5
# After draining, ending takes this long at most, whatever hangs.
END_SECONDS = 3.0
# How often a draining server looks whether all requests are answered.
POLL_SECONDS = 0.05
THREADS = 8
PING_SECONDS = 60
TIMEOUT_CHECK_SECONDS = 5
logger = logging.getLogger(__name__)


class Background(Protocol):
    """What runs beside the server."""

    async def start(self) -> None: ...
    async def drain(self, seconds: float) -> None: ...
    async def stop(self) -> None: ...


class DrainingServer(Server):
    """Serves until SIGTERM or SIGINT, a second signal skips the drain; ``failure`` is why it could not serve."""

    def __init__(
        self,
        application: Any,
        address: tuple[str, int],
        background: Background,
        drain_seconds: float,
        announce: Callable[[], None],
    ) -> None:
        host, port = address
        super().__init__(
            application,
            endpoints=build_endpoint_description_strings(host=host, port=port),
            signal_handlers=False,
            ready_callable=lambda: loop.call_soon(self._begin),
            # A header that tells nobody anything they need.
            server_name="",
            # They find peers that vanished; pages hear a beat of their own four times as often.
            ping_interval=PING_SECONDS,
        )
        self.failure: BaseException | None = None
        self._background = background
        self._drain_seconds = drain_seconds
        self._announce = announce
        self._ports: list[Any] = []
        self._signals = 0
        self._told_to_end = asyncio.Event()
        self._told_to_hurry = asyncio.Event()

    def timeout_checker(self) -> None:
        """As daphne's, which looks at every connection every two seconds, also at a thousand that are idle."""
        for protocol in list(self.connections):
            protocol.check_timeouts()
        daphne.server.reactor.callLater(TIMEOUT_CHECK_SECONDS, self.timeout_checker)

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)

    def listen_error(self, failure: Any) -> None:
        self.failure = failure.value
        self.stop()

    def kill_all_applications(self) -> Any:
        """Skip connections whose application has ended already; the original trips over them."""
        for connection, facts in list(self.connections.items()):
            if "application_instance" not in facts:
                del self.connections[connection]
        return super().kill_all_applications()

    def _begin(self) -> None:
        """Called inside the running loop."""
        running = asyncio.get_running_loop()
        running.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="worker"))
        for number in (signal.SIGTERM, signal.SIGINT):
            running.add_signal_handler(number, self._on_signal, number)
        self._life = running.create_task(self._live())

    def _on_signal(self, number: signal.Signals) -> None:
        self._signals += 1
        if number == signal.SIGINT:
            self._drain_seconds = min(self._drain_seconds, INTERRUPT_DRAIN_SECONDS)
        if self._signals > 1:
            self._told_to_hurry.set()
        self._told_to_end.set()

    async def _live(self) -> None:
        try:
            await self._background.start()
            self._announce()
            await self._told_to_end.wait()
            await self._drain()
        except Exception as error:
            logger.exception("The server cannot go on.")
            self.failure = error
        await self._stop()

    async def _stop(self) -> None:
        try:
            await self._background.stop()
        except Exception as error:
            logger.exception("The server did not end in order.")
            self.failure = error
        finally:
            self.stop()

    async def _drain(self) -> None:
        _end_at_the_latest_in(self._drain_seconds + END_SECONDS)
        for port in self._ports:
            await maybeDeferred(port.stopListening).asFuture(asyncio.get_running_loop())
        for connection in list(self.connections):
            if isinstance(connection, WebSocketProtocol):
                connection.serverClose(code=LEAVING)
        draining = asyncio.gather(self._background.drain(self._drain_seconds), self._answer_what_was_asked())
        hurrying = asyncio.ensure_future(self._told_to_hurry.wait())
        await asyncio.wait((draining, hurrying), return_when=asyncio.FIRST_COMPLETED)
        draining.cancel()
        hurrying.cancel()

    async def _answer_what_was_asked(self) -> None:
        """Until no request is being answered, or the time to drain is over: a form that was sent is not sent again."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._drain_seconds):
                while any(map(_is_being_answered, self.connections.items())):
                    await asyncio.sleep(POLL_SECONDS)


def _is_being_answered(connection: tuple[Any, Any]) -> bool:
    protocol, facts = connection
    application = facts.get("application_instance")
    return isinstance(protocol, WebRequest) and application is not None and not application.done()


def _end_at_the_latest_in(seconds: float) -> None:
    """A thread that hangs in the database must not keep the process: its runs are recovered at the next start."""
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    timer.start()
