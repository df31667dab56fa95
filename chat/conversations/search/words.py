"""The words of a search: what a person typed, where a text has it, and the lines around that.

Pure functions on strings. Marks are pieces for a template to escape, never markup. Nothing typed raises: what holds no
word asks for nothing. Languages that put no spaces between words are looked for character by character, as a phrase.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# As long as a title; more words than these are left out.
LONGEST_QUERY = 200
MOST_TERMS = 12
# A shorter beginning would be that of nearly every text.
SHORTEST_PREFIX = 2
EXCERPT_LENGTH = 150
LEAD = 40
# What a text shows is judged by its beginning; a longer one is found by all of its indexed words all the same.
LOOKED_AT = 20_000

# Thai to Lao, Burmese, Khmer, Chinese, Japanese, Korean: every character is a word of its own to both indexes.
UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    r"\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
LETTER = rf"[^\W_{UNSPACED}]"
WORD = re.compile(rf"[{UNSPACED}]|{LETTER}+")
ALONE = re.compile(rf"[{UNSPACED}]")
# A phrase in quotes, closed or not yet, or anything up to the next space; a minus before it turns it round.
CHUNK = re.compile(r'(?P<minus>-?)"(?P<phrase>[^"]*)(?P<closed>"?)|(?P<bare>[^\s"]+)')
QUOTES = str.maketrans("“”„«»", '"""""')
SYNTAX = re.compile(r"[*`#|~]{1,6}|\s+")


@dataclass(frozen=True, slots=True)
class Term:
    """Words that stand one after another; ``prefix``: the last one may go on, as it is still being typed."""

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A text is wanted that has all of ``wanted`` and none of ``unwanted``."""

    wanted: tuple[Term, ...]
    unwanted: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some characters of a text, plain; ``marked`` where they are what was looked for."""

    text: str
    marked: bool = False


def parse(typed: str) -> Query:
    """Read what was typed: words, "phrases" and -exclusions; the last word may be unfinished."""
    wanted: list[Term] = []
    unwanted: list[Term] = []
    text = cleaned(typed)[:LONGEST_QUERY].translate(QUOTES)
    for chunk in CHUNK.finditer(text):
        bare = chunk["bare"] or ""
        minus = bool(chunk["minus"]) or (bare.startswith("-") and len(bare) > 1)
        words = tuple(words_of(bare or chunk["phrase"]))
        unfinished = chunk.end() == len(text) and not chunk["closed"]
        if words:
            term = Term(words, unfinished and not minus and _can_go_on(words[-1]))
            (unwanted if minus else wanted).append(term)
    return Query(tuple(wanted[:MOST_TERMS]), tuple(unwanted[:MOST_TERMS]))


def cleaned(typed: str) -> str:
    """Without what no database takes: NUL and halves of characters."""
    whole = typed.replace("\x00", " ").encode("utf-8", "ignore").decode()
    return unicodedata.normalize("NFC", whole)


def words_of(text: str) -> Iterator[str]:
    return (found.group() for found in WORD.finditer(text))


def _can_go_on(word: str) -> bool:
    return len(word) >= SHORTEST_PREFIX and not ALONE.match(word)


def spaced(text: str) -> str:
    """The text with every character that is a word of its own standing alone; what the index of SQLite is given."""
    return text if text.isascii() else ALONE.sub(r" \g<0> ", text)


def folded(text: str) -> str:
    """Without case and accents, and exactly as long, so that places in it are places in the text."""
    return text.lower() if text.isascii() else text.translate(_FOLD)


class _Fold(dict[int, str]):
    """Each character's plain form, found once."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = unicodedata.normalize("NFKD", character)[0].casefold()[0]
        self[code] = character if ALONE.match(character) else plain
        return self[code]


_FOLD = _Fold()


@lru_cache(maxsize=256)
def pattern(term: Term) -> re.Pattern[str]:
    """Where a folded text has a term."""
    words = [re.escape(folded(word)) for word in term.words]
    start = "" if ALONE.match(term.words[0]) else rf"(?<!{LETTER})"
    end = "" if term.prefix or ALONE.match(term.words[-1]) else rf"(?!{LETTER})"
    gap = r"[\W_]*" if any(ALONE.match(word) for word in term.words) else r"[\W_]+"
    return re.compile(start + gap.join(words) + end)


def counts(text: str, query: Query) -> list[int]:
    """About how often a text has each wanted term: its longest word, also within words, as that is quickly counted."""
    plain = folded(text[:LOOKED_AT])
    return [plain.count(folded(max(term.words, key=len))) for term in query.wanted]


def marked(text: str, query: Query) -> tuple[Piece, ...]:
    """A whole text in pieces, what is wanted marked."""
    pieces, at = [], 0
    for start, end in _places(text, query):
        if start >= at and end > start:
            pieces += [Piece(text[at:start]), Piece(text[start:end], marked=True)]
            at = end
    return tuple(piece for piece in (*pieces, Piece(text[at:])) if piece.text)


def excerpt(text: str, query: Query) -> tuple[Piece, ...]:
    """The lines of a text that have most of what is wanted, on one line and without Markdown's signs."""
    text = unicodedata.normalize("NFC", text[:LOOKED_AT])
    start = max(0, _densest(_places(text, query)) - LEAD)
    # Twice the length, as signs and spaces go.
    window = SYNTAX.sub(" ", text[start : start + 2 * EXCERPT_LENGTH])
    line = " ".join(window.split())
    if start and " " in line[:LEAD]:
        line = line.split(" ", 1)[1]
    cut = line[:EXCERPT_LENGTH]
    pieces = marked(cut, query)
    before = (Piece("… "),) if start else ()
    after = (Piece("…"),) if len(cut) < len(line) or start + 2 * EXCERPT_LENGTH < len(text) else ()
    return (*before, *pieces, *after)


def _places(text: str, query: Query) -> list[tuple[int, int]]:
    plain = folded(text)
    found = (match.span() for term in query.wanted for match in pattern(term).finditer(plain))
    return sorted(found, key=lambda span: (span[0], -span[1]))


def _densest(places: list[tuple[int, int]]) -> int:
    """Where the window begins that holds most matches; the first of equals."""
    best, most, end = 0, 0, 0
    for begin in range(len(places)):
        end = max(end, begin)
        while end < len(places) and places[end][1] <= places[begin][0] + EXCERPT_LENGTH - LEAD:
            end += 1
        if end - begin > most:
            best, most = places[begin][0], end - begin
    return best
