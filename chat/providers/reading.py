"""Reads the body of a 200 answer: whatever kind of body it turns out to be, bytes go in and token events come out.

Pure and incremental, no I/O. Servers send JSON or a web page where a stream was asked for, whatever their Content-Type
says, so the first byte decides. Called by `client`.
"""

from collections.abc import Iterator

from chat.providers.credential import Credential, mask_tokens
from chat.providers.decoding import AnswerDecoder
from chat.providers.errors import Context, ProviderError, provider_error
from chat.providers.events import TokenEvent
from chat.providers.sse import SSEDecoder
from chat.providers.thinking import Piece

# An answer in one piece may carry the log probabilities of every token; a page or an error is shown by its beginning.
MAX_BODY_BYTES = 8 * 1024 * 1024
_RAW_BYTES = 20_000
_BOM = b"\xef\xbb\xbf"


class AnswerReader:
    """Feed `read` what arrives, then call `finish`; after an error `release` gives the text that was held back."""

    def __init__(self, credential: Credential | None = None) -> None:
        self._credential = credential
        self._decoder = AnswerDecoder(credential)
        self._events = SSEDecoder()
        self._head = bytearray()
        self._body: bytearray | None = None
        self._streaming = False

    @property
    def done(self) -> bool:
        """True once the server said that no more comes."""
        return self._decoder.done

    @property
    def has_output(self) -> bool:
        """True once anything of the answer itself came."""
        return self._decoder.has_output

    def read(self, chunk: bytes) -> Iterator[TokenEvent]:
        """The token events that `chunk` completes. Raises ProviderError for anything that is not an answer."""
        if not self._streaming:
            chunk = self._sniff(chunk)
        elif self._head:
            # No event yet: what came is kept for showing, in case none ever comes.
            self._head += chunk[: _RAW_BYTES - len(self._head)]
        for event in self._events.decode(chunk):
            self._head.clear()
            yield from self._decoder.decode(event)

    def finish(self) -> Iterator[TokenEvent]:
        """The token events left at the end of the body. Raises BrokenAnswer if that was too early."""
        if self._body is not None:
            if self._body.startswith(b"<"):
                raise self._not_an_answer()
            yield from self._decoder.decode_body(bytes(self._body))
        for event in self._events.flush():
            yield from self._decoder.decode(event)
        yield from self._decoder.flush(bytes(self._head))

    def release(self) -> list[Piece]:
        """The text held back so far."""
        return self._decoder.release()

    def _sniff(self, chunk: bytes) -> bytes:
        """What of the body so far is part of an event stream; a body of another kind is gathered instead."""
        if self._body is not None:
            self._gather(chunk)
            return b""
        self._head += chunk
        start = self._head.removeprefix(_BOM).lstrip()
        if not start or _BOM.startswith(start):
            # Nothing but keep-alive blanks so far; keeping them would let them pile up.
            self._head[:] = self._head[:3] if _BOM.startswith(self._head[:3]) else b""
            return b""
        if start[:1] in b"{[<":
            self._body = bytearray()
            self._gather(bytes(start))
            return b""
        self._streaming = True
        found = bytes(self._head)
        del self._head[_RAW_BYTES:]
        return found

    def _gather(self, chunk: bytes) -> None:
        assert self._body is not None
        self._body += chunk
        if self._body.startswith(b"<") and len(self._body) > _RAW_BYTES:
            raise self._not_an_answer()
        if len(self._body) > MAX_BODY_BYTES:
            raise provider_error("too_long_line")

    def _not_an_answer(self) -> ProviderError:
        raw = bytes(self._body or b"").decode("utf-8", "replace")
        mask = self._credential.mask if self._credential else mask_tokens
        return provider_error("malformed", Context(status=200, raw=mask(raw)))
