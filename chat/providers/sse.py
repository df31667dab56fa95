"""Server-sent events: bytes in, events out, by the rules of WHATWG HTML 9.2.6.

Pure and incremental, fed whatever a read gave; it works on bytes, so a character split over reads never matters.
It knows nothing of JSON or of HTTP. Called by `client` for every read of every stream, hence the fast path.
"""

from typing import NamedTuple

from chat.providers.errors import provider_error

MAX_EVENT_BYTES = 4 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"
_LF, _CR = 0x0A, 0x0D


class ServerSentEvent(NamedTuple):
    """One event: its data lines joined by line feeds, and its name ("" for an ordinary message).

    `complete` is False for an event whose blank line never came because the stream ended.
    """

    data: bytes
    name: str = ""
    complete: bool = True


class SSEDecoder:
    """Feed `decode` until the stream ends, then call `flush` once. The fields `id` and `retry` are not used here."""

    def __init__(self, limit: int = MAX_EVENT_BYTES) -> None:
        self._limit = limit
        self._start: bytes | None = b""
        self._after_cr = False
        self._partial = bytearray()
        self._data = bytearray()
        self._has_data = False
        self._name = ""

    def decode(self, chunk: bytes) -> list[ServerSentEvent]:
        """The events completed by `chunk`. Raises BrokenAnswer (too_long_line) beyond the limit of bytes per event."""
        if self._is_one_event(chunk):
            self._start, self._after_cr = None, False
            return [ServerSentEvent(chunk[6:-2] if chunk[5] == 0x20 else chunk[5:-2])]
        events: list[ServerSentEvent] = []
        for line in self._lines(chunk):
            self._take(line, events)
        return events

    def flush(self) -> list[ServerSentEvent]:
        """The event left at the end of the stream, marked incomplete.

        The specification would drop it, but servers exist that end without the last blank line.
        """
        if self._partial:
            self._take_field(bytes(self._partial))
        if not self._has_data:
            return []
        return [ServerSentEvent(bytes(self._data[:-1]), self._name, complete=False)]

    def _is_one_event(self, chunk: bytes) -> bool:
        """True in the common case: nothing is pending and the read is exactly one line of data with its blank line."""
        return (
            chunk.startswith(b"data:")
            and chunk.endswith(b"\n\n")
            and chunk.find(b"\n") == len(chunk) - 2
            and b"\r" not in chunk
            and len(chunk) <= self._limit
            and not (self._partial or self._has_data or self._name or self._start)
        )

    def _lines(self, chunk: bytes) -> list[bytes]:
        """The lines completed by `chunk`, without their ends; what follows the last end is kept for later."""
        lines = self._without_prefix(chunk).splitlines(keepends=True)
        if not lines:
            return []
        if self._partial:
            self._partial += lines[0]
            lines[0] = bytes(self._partial) if lines[0][-1] in (_LF, _CR) else b""
            if not lines[0]:
                self._check_size()
                return []
            self._partial.clear()
        last = lines[-1][-1]
        # A lone CR ends a line at once; the LF that may follow in the next read then belongs to it.
        self._after_cr = last == _CR
        if last not in (_LF, _CR):
            self._partial += lines.pop()
            self._check_size()
        return [line.rstrip(b"\r\n") for line in lines]

    def _without_prefix(self, chunk: bytes) -> bytes:
        if self._start is not None:
            chunk = self._start + chunk
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                self._start = chunk
                return b""
            self._start = None
            chunk = chunk.removeprefix(_BOM)
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        return chunk

    def _take(self, line: bytes, events: list[ServerSentEvent]) -> None:
        if line:
            self._take_field(line)
            return
        if self._has_data:
            events.append(ServerSentEvent(bytes(self._data[:-1]), self._name))
        self._data.clear()
        self._has_data = False
        self._name = ""

    def _take_field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data += value
            self._data.append(_LF)
            self._has_data = True
            self._check_size()
        elif name == b"event":
            self._name = value[:100].decode("utf-8", "replace")

    def _check_size(self) -> None:
        if len(self._partial) + len(self._data) > self._limit:
            raise provider_error("too_long_line")
