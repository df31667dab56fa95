"""What of a growing text may not be shown yet, because the next characters can change what it is.

Owns the guesses only: whatever is guessed wrong is put right when the block is parsed. Called by `stream.py`.
"""

import re

LONGEST_HOLD = 96  # characters of a sentence: about a second and a half of a slow model
LONGEST_BLOCK_HOLD = 600  # characters: a formula or a table's head
_MARKERS = re.compile(r"\A(?:[ \t]*(?:>|[-+*][ \t]|\d{1,9}[.)][ \t]))*[ \t]*")
_UNDECIDED = re.compile(r"(?:\d{0,9}[.)]?|[-_*=+:|\t ]*|#{1,6}|>|`{1,2}|~{1,2}|\$|\\|\[[ xX]?\]?)[ \t]*")
_FENCE = re.compile(r"`{3,}[^`]*\Z|~{3,}")
_DELIMITER_ROW = re.compile(r"[ \t]*[-:|][-:| \t]*")
_ESCAPED = re.compile(r"\\[*_`$~<&\\]")
_LONG_MARKUP = re.compile(r"\]\(|\\[(\[]|`|\$")


def is_undecided(text: str) -> bool:
    """Say whether text, which begins at the start of a line, may still become another kind of block."""
    if len(text) > LONGEST_BLOCK_HOLD:
        return False
    text = _MARKERS.sub("", text)
    first, newline, rest = text.partition("\n")
    if first.startswith("|"):
        return "\n" not in rest and (not rest or bool(_DELIMITER_ROW.fullmatch(rest)))
    if first.startswith(("$$", "\\[")):
        closer = "$$" if first.startswith("$$") else "\\]"
        return closer not in text[2:] and "\n\n" not in text
    if newline:
        return False
    if _UNDECIDED.fullmatch(first) or (len(first) < LONGEST_HOLD and _FENCE.match(first)):
        return True
    return not is_settled(first) and may_wait(first)


def decided_length(text: str) -> int:
    """Return how much of text to parse: all, or all before the lines at its end that may still become anything."""
    last_line = text.rfind("\n") + 1
    starts = (text.rfind("\n\\[") + 1, text.rfind("\n$$") + 1, last_line)
    undecided = (start for start in starts if text[:start].strip() and _may_open(text, start))
    return min(undecided, default=len(text))


def _may_open(text: str, start: int) -> bool:
    closes_formula = text.startswith("$$", start) and text.count("$$", 0, start) % 2 == 1
    return not closes_formula and is_undecided(text[start:])


def is_settled(text: str) -> bool:
    """Say whether the inline markup that begins in text also ends in it, as far as one can see."""
    text = _ESCAPED.sub("", text)
    balanced = all(_is_paired(text, mark) for mark in "*_`$~")
    bracket = text.rfind("[")
    if bracket >= 0:
        closing = text.find("]", bracket)
        balanced &= 0 <= closing < len(text) - 1
        balanced &= not text.startswith("](", closing) or ")" in text[closing:]
    balanced &= text.count("\\(") == text.count("\\)") and text.count("\\[") == text.count("\\]")
    return balanced and not (text.endswith("\\") or _in_word(text, "<", ">") or _in_word(text, "&", ";"))


def may_wait(text: str) -> bool:
    """Say whether unsettled text is still short enough to be held back."""
    return len(text) < (4 * LONGEST_HOLD if _LONG_MARKUP.search(text) else LONGEST_HOLD)


def _is_paired(text: str, mark: str) -> bool:
    count = text.count(mark)
    return count == 0 or (count % 2 == 0 and len(re.findall(re.escape(mark) + "+", text)) % 2 == 0)


def _in_word(text: str, opener: str, closer: str) -> bool:
    begin = text.rfind(opener)
    word = text[begin:] if begin >= 0 else ""
    return bool(word) and closer not in word and not any(character.isspace() for character in word)
