"""Bounds what a request may bring along, before any of it is kept.

The server takes a whole body in before the application is asked, so that anybody who reaches the port could fill the
disk. It owns that one limit; what a form may hold is Django's affair. Used by ``server``.
"""

from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest

# Well above what Django takes for a form, so that what is a little too long is refused with a page.
MAX_BODY_BYTES = 10_000_000
TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class BoundedRequest(WebRequest):
    """A request whose connection ends as soon as its body says to be too large, or turns out to be."""

    def gotLength(self, length: int | None) -> None:
        super().gotLength(length)
        if length is not None and length > MAX_BODY_BYTES:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:
        # A body in chunks does not say its length.
        if self.content.tell() + len(data) > MAX_BODY_BYTES:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def _refuse(self) -> None:
        self.channel.transport.write(TOO_LARGE)
        self.channel.loseConnection()


class BoundedFactory(HTTPFactory):
    """daphne's factory with bounded requests."""

    def buildProtocol(self, address: Any) -> Any:
        protocol = super().buildProtocol(address)
        if protocol is not None:
            protocol.requestFactory = BoundedRequest
        return protocol
