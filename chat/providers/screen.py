"""Hides the key that was sent where an answer repeats it: in text, thoughts, tool calls, names and log probabilities.

A server that shows what it received must not show it to those who only use the key. Pieces of an answer break anywhere,
so the end of a text is held back for as long as it may be the beginning of the secret. Called by `client`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from chat.providers.credential import MASK, Credential
from chat.providers.events import (
    Finished,
    Identified,
    LogprobsDelta,
    ReasoningDelta,
    TextDelta,
    TextWasReasoning,
    TokenEvent,
    TokenLogprob,
    ToolCallDelta,
)

MOST_TOOL_CALLS = 128


class Screen:
    """Send every event of one answer `through`, and `flush` at its end, however it ends."""

    def __init__(self, credential: Credential) -> None:
        self._mask = credential.mask_own
        self._text, self._reasoning = Held(credential), Held(credential)
        self._arguments: dict[int, Held] = {}
        self._tokens = HeldTokens(credential)
        self._credential = credential

    def through(self, event: TokenEvent) -> Iterator[TokenEvent]:
        """What of the event, and of those before it, may be shown by now."""
        match event:
            case TextDelta(text=text):
                yield from self._some(TextDelta, self._text.add(text))
            case ReasoningDelta(text=text):
                yield from self._some(ReasoningDelta, self._reasoning.add(text))
            case ToolCallDelta():
                # What a hostile server numbers without end is masked piece by piece.
                held = self._arguments.get(event.index) or Held(self._credential)
                if len(self._arguments) < MOST_TOOL_CALLS:
                    self._arguments[event.index] = held
                shown = held.add(event.arguments)
                yield replace(event, id=self._mask(event.id), name=self._mask(event.name), arguments=shown)
            case LogprobsDelta(tokens=tokens):
                if shown_tokens := self._tokens.add(tokens):
                    yield LogprobsDelta(shown_tokens)
            case Identified():
                mask = self._mask
                named = (mask(event.response_id), mask(event.model), mask(event.system_fingerprint))
                yield Identified(*named, event.created)
            case TextWasReasoning() | Finished():
                yield from self.flush()
                yield self._masked_end(event) if isinstance(event, Finished) else event
            case _:
                yield event

    def flush(self) -> Iterator[TokenEvent]:
        """What was held back: it was not the secret."""
        yield from self._some(ReasoningDelta, self._reasoning.rest())
        yield from self._some(TextDelta, self._text.rest())
        for index, held in self._arguments.items():
            if rest := held.rest():
                yield ToolCallDelta(index, "", "", rest)
        if tokens := self._tokens.rest():
            yield LogprobsDelta(tokens)

    def _masked_end(self, event: Finished) -> Finished:
        return Finished(self._mask(event.reason), self._mask(event.raw_reason))

    def _some(self, kind: type[TextDelta] | type[ReasoningDelta], text: str) -> Iterator[TokenEvent]:
        if text:
            yield kind(text)


class Held:
    """A growing text, given out without the secret, and without an end that may become the secret."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._held = ""

    def add(self, text: str) -> str:
        whole = self._credential.mask_own(self._held + text)
        cut = self._credential.may_begin_at(whole)
        self._held = whole[cut:]
        return whole[:cut]

    def rest(self) -> str:
        rest, self._held = self._held, ""
        return rest


class HeldTokens:
    """The same for tokens with their log probabilities: those that spell the secret keep only their number."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._held: list[TokenLogprob] = []

    def add(self, tokens: Iterable[TokenLogprob]) -> tuple[TokenLogprob, ...]:
        held = [*self._held, *map(self._with_masked_choices, tokens)]
        text = "".join(token.token for token in held)
        places = self._credential.places_in(text)
        cut, start = self._credential.may_begin_at(text), 0
        shown: list[TokenLogprob] = []
        for number, token in enumerate(held):
            end = start + len(token.token)
            if end > cut and not any(begin < end and start < stop for begin, stop in places):
                self._held = held[number:]
                return tuple(shown)
            hidden = any(begin < end and start < stop for begin, stop in places)
            shown.append(replace(token, token=MASK, top=()) if hidden else token)
            start = end
        self._held = []
        return tuple(shown)

    def rest(self) -> tuple[TokenLogprob, ...]:
        rest, self._held = tuple(self._held), []
        return rest

    def _with_masked_choices(self, token: TokenLogprob) -> TokenLogprob:
        mask = self._credential.mask_own
        return replace(token, top=tuple((mask(text), logprob) for text, logprob in token.top))
