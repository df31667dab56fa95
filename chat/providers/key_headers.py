"""A key that is a set of named headers, as people type it and as the vault keeps it: lines of `Name: value`.

Pure. `chat.keys` reads what is typed with it and hands the pairs to a Credential.
"""

from chat.providers.credential import SHORTEST_SECRET_VALUE
from chat.providers.headers import header_problem

MOST_HEADERS = 10


def parse_headers(typed: str) -> tuple[tuple[str, str], ...]:
    """The headers in lines of `Name: value`. Raises ValueError, with a sentence that holds no value, if they cannot
    be a key."""
    lines = [line.strip() for line in typed.splitlines() if line.strip()]
    if not 0 < len(lines) <= MOST_HEADERS:
        raise ValueError(f"Give 1 to {MOST_HEADERS} lines of Name: value.")
    pairs = []
    for number, line in enumerate(lines, 1):
        name, colon, value = (part.strip() for part in line.partition(":"))
        problem = header_problem(name, value, of_key=True) if colon and value else "is no Name: value"
        if problem:
            raise ValueError(f"Line {number} {problem}.")
        pairs.append((name, value))
    if len({name.lower() for name, _ in pairs}) < len(pairs):
        raise ValueError("A header is named twice.")
    if all(len(value) < SHORTEST_SECRET_VALUE for _, value in pairs):
        raise ValueError(f"No value has {SHORTEST_SECRET_VALUE} characters or more: none of them can be a secret.")
    return tuple(pairs)


def read_headers(stored: str) -> tuple[tuple[str, str], ...]:
    """The same of what was stored, which was valid when it was typed."""
    return tuple((name, value) for name, _, value in (line.partition(": ") for line in stored.splitlines()))


def secret_part(stored: str) -> str:
    """The longest value of what was stored: the one whose end may be shown."""
    return max((value for _, value in read_headers(stored)), key=len)


def write_headers(pairs: tuple[tuple[str, str], ...]) -> str:
    """The inverse of `read_headers`."""
    return "\n".join(f"{name}: {value}" for name, value in pairs)
