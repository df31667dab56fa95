"""What stands in a backup: lines of JSON, compressed, then sealed. Streams both ways; nothing is held whole.

First a head: the format, the migrations that the tables are of, the secrets. Then for each table its columns and its
rows, for each uploaded file its name and its bytes, at the end how many lines there were.
"""

import base64
import gzip
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import IO, Any
from uuid import UUID

from chat.backup.sealing import Opener, Sealer, Unreadable

FORMAT = 1
BLOCK = 256 * 1024
QUICKLY = 3
ROWS_AT_A_TIME = 200
Line = dict[str, Any] | list[Any]


@dataclass(frozen=True)
class Head:
    """What must be known before anything else is read. The secrets show in no repr."""

    migrations: list[list[str]]
    made_at: str
    secret_key: str = field(repr=False)
    encryption_keys: list[str] = field(repr=False)
    format: int = FORMAT


class Writer:
    """Puts lines into a sealed file."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._lines = 0

    def head(self, head: Head) -> None:
        self._write(asdict(head))

    def table(self, name: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        self._write({"table": name, "columns": list(columns)})
        for row in rows:
            self._write(list(row))

    def file(self, name: PurePosixPath, source: IO[bytes]) -> None:
        self._write({"file": str(name)})
        while block := source.read(BLOCK):
            self._write([base64.b64encode(block).decode()])

    def end(self) -> None:
        self._write({"lines": self._lines})

    def _write(self, line: Line) -> None:
        self._stream.write(json.dumps(line, default=_plain, separators=(",", ":")).encode() + b"\n")
        self._lines += 1


@contextmanager
def writing(target: IO[bytes], passphrase: str) -> Iterator[Writer]:
    """A writer into ``target``; the file can be read if the block ends well, and only then."""
    sealer = Sealer(target, passphrase)
    buffered = io.BufferedWriter(sealer, BLOCK)
    with gzip.GzipFile(fileobj=buffered, mode="wb", compresslevel=QUICKLY, mtime=0) as stream:
        writer = Writer(stream)
        yield writer
        writer.end()
    buffered.flush()
    sealer.finish()


@dataclass(frozen=True)
class Rows:
    """Some rows of a table, in the order of its columns."""

    table: str
    columns: list[str]
    rows: list[list[Any]]


@dataclass(frozen=True)
class Block:
    """The next bytes of an uploaded file; none where it begins."""

    file: PurePosixPath
    data: bytes


def reading(path: Path, passphrase: str) -> Iterator[Rows | Block]:
    """Everything that follows the head, a little at a time. Raises Unreadable."""
    lines = _lines(path, passphrase)
    next(lines)
    what: dict[str, Any] = {}
    waiting: list[list[Any]] = []
    for line in lines:
        if isinstance(line, list) and "file" in what:
            yield Block(PurePosixPath(what["file"]), base64.b64decode(line[0]))
        elif isinstance(line, list):
            waiting.append(line)
        if waiting and (isinstance(line, dict) or len(waiting) >= ROWS_AT_A_TIME):
            yield Rows(what["table"], what["columns"], waiting)
            waiting = []
        if isinstance(line, dict):
            what = line
            if "file" in what:
                yield Block(PurePosixPath(what["file"]), b"")
    if waiting:
        yield Rows(what["table"], what["columns"], waiting)


def check(path: Path, passphrase: str) -> Head:
    """Read a whole file, changing nothing, and return its head. Raises Unreadable where it is not as it was written."""
    lines = _lines(path, passphrase)
    head = next(lines, None)
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise Unreadable("This backup was made by a newer version: update this playground first.")
    for _ in lines:
        pass
    return Head(**head)


def _lines(path: Path, passphrase: str) -> Iterator[Line]:
    with path.open("rb") as source:
        opener = io.BufferedReader(Opener(source, passphrase), BLOCK)
        with gzip.GzipFile(fileobj=opener, mode="rb") as stream:
            for number, text in enumerate(stream):
                line: Line = json.loads(text)
                if line == {"lines": number} and not stream.read(1):
                    return
                yield line
            raise Unreadable("The file ends before its end.")


def _plain(value: Any) -> str:
    """What JSON has no word for, as text that each kind of column reads exactly."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} has no place in a backup.")
