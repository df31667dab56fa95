"""Tells a model's thinking from its answer where both come as one text with `<think>` tags.

Only tags at the very start of an answer count, so that an answer about tags stays whole. The exception are models that
never write the opening tag (their prompt template did): see `_scan`. Pure; used by `decoding` alone.
"""

from collections.abc import Callable

from chat.providers.events import ReasoningDelta, TextDelta, TextWasReasoning

Piece = TextDelta | ReasoningDelta | TextWasReasoning
_CLOSING = {"<think>": "</think>", "<thinking>": "</thinking>"}
_TAGS = (*_CLOSING, *_CLOSING.values())
_LONGEST = max(map(len, _TAGS))
# Whitespace before a first tag is waited through, but not forever.
_MAX_LEADING = 1_000


class ThinkTags:
    """Feed it the text of an answer in pieces; `flush` at the end. What it gives back is never empty text."""

    def __init__(self) -> None:
        self._held = ""
        self._closing = ""
        self._step: Callable[[list[Piece]], bool] = self._begin

    def feed(self, text: str) -> list[Piece]:
        """The pieces known for sure by now; text that may be the beginning of a tag is held back."""
        if not self._held and (self._step == self._pass or (self._step == self._scan and "<" not in text)):
            return [TextDelta(text)] if text else []
        self._held += text
        pieces: list[Piece] = []
        while self._held and self._step(pieces):
            pass
        return pieces

    def stop_looking(self) -> None:
        """The thinking comes separately: a closing tag in the text means nothing any more."""
        if self._step == self._scan:
            self._step = self._pass

    def flush(self) -> list[Piece]:
        """What was held back, now that no more text comes."""
        held, self._held = self._held, ""
        if self._step == self._scan and held in _CLOSING.values():
            return [TextWasReasoning()]
        if self._step == self._think:
            return [ReasoningDelta(held)] if held else []
        if self._step == self._after:
            return []
        return [TextDelta(held)] if held else []

    def _begin(self, _pieces: list[Piece]) -> bool:
        """Nothing but whitespace so far."""
        start = self._held.lstrip()
        for opening, closing in _CLOSING.items():
            if start.startswith(opening):
                self._closing = closing
                self._become(self._enter, start[len(opening) :])
                return True
            # The thinking came separately and its end was left over.
            if start.startswith(closing):
                self._become(self._after, start[len(closing) :])
                return True
        if len(self._held) < _MAX_LEADING and any(tag.startswith(start) for tag in _TAGS):
            return False
        self._become(self._scan, self._held)
        return True

    def _enter(self, _pieces: list[Piece]) -> bool:
        """Just behind an opening tag: the line breaks there belong to the tag."""
        self._become(self._enter, self._held.lstrip("\r\n"))
        if self._held:
            self._step = self._think
        return True

    def _think(self, pieces: list[Piece]) -> bool:
        before, closing, after = self._held.partition(self._closing)
        keep = 0 if closing else _beginning_of_tag(before)
        thought = before[: len(before) - keep]
        if thought:
            pieces.append(ReasoningDelta(thought))
        if closing:
            self._become(self._after, after)
            return True
        self._held = before[len(before) - keep :]
        return False

    def _after(self, pieces: list[Piece]) -> bool:
        """Just behind a closing tag: the empty lines there belong to the tag, the rest is the answer."""
        self._become(self._after, self._held.lstrip("\r\n"))
        if self._held:
            self._step = self._pass
        return True

    def _scan(self, pieces: list[Piece]) -> bool:
        """An answer that began without a tag.

        If the first tag in it is a closing one and ends its line, everything before it was thinking. Any other first
        tag means that the answer speaks about tags.
        """
        place, tag = min(((self._held.find(tag), tag) for tag in _TAGS if tag in self._held), default=(-1, ""))
        if place < 0:
            keep = _beginning_of_tag(self._held)
            self._emit(pieces, len(self._held) - keep)
            return False
        after = self._held[place + len(tag) :]
        if tag in _CLOSING.values() and not after:
            self._emit(pieces, place)
            return False
        if tag in _CLOSING.values() and after[0] in "\r\n":
            self._emit(pieces, place)
            pieces.append(TextWasReasoning())
            self._become(self._after, after)
            return True
        self._step = self._pass
        return True

    def _pass(self, pieces: list[Piece]) -> bool:
        self._emit(pieces, len(self._held))
        return False

    def _become(self, step: Callable[[list[Piece]], bool], held: str) -> None:
        self._step = step
        self._held = held

    def _emit(self, pieces: list[Piece], length: int) -> None:
        if length:
            pieces.append(TextDelta(self._held[:length]))
            self._held = self._held[length:]


def _beginning_of_tag(text: str) -> int:
    """How many characters at the end of `text` may be the beginning of a tag."""
    place = text.rfind("<", max(0, len(text) - _LONGEST + 1))
    return len(text) - place if place >= 0 and any(tag.startswith(text[place:]) for tag in _TAGS) else 0
