"""Encrypts a stream of any length under a passphrase, and opens it again only whole and unchanged.

scrypt (RFC 7914) makes the key; pieces of 64 kB are sealed with AES-256-GCM. The nonce of each is its number and
whether it is the last, so that pieces can be neither dropped, doubled, swapped nor cut off at the end (the STREAM
construction of Hoang, Reyhanitabar, Rogaway and Vizár). The head is authenticated with every piece. Knows no Django.
"""

import io
import os
import struct
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"playground backup 1\n"
SALT_BYTES = 16
PIECE = 64 * 1024
TAG_BYTES = 16
# 64 MB of memory and a fifth of a second for each guess. The file says it, within bounds.
COST, LEAST_COST, MOST_COST = 16, 14, 17


class Unreadable(Exception):
    """This file cannot be opened; its text is one sentence for whoever tried."""


class Sealer(io.RawIOBase):
    """What is written comes out encrypted in ``target``. Without ``close`` the file stays unreadable, as it should."""

    def __init__(self, target: IO[bytes], passphrase: str) -> None:
        salt = os.urandom(SALT_BYTES)
        self._head = MAGIC + bytes([COST]) + salt
        self._cipher = _cipher(passphrase, salt, COST)
        self._target = target
        self._waiting = bytearray()
        self._number = 0
        target.write(self._head)

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._waiting += piece
        # The last piece is told apart, so one always waits until more comes.
        while len(self._waiting) > PIECE:
            self._seal(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]
        return len(piece)

    def finish(self) -> None:
        """Write the last piece; nothing can follow."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, piece: bytes, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._number, last), piece, self._head))
        self._number += 1


class Opener(io.RawIOBase):
    """Reads what a Sealer wrote. Raises Unreadable at once for a wrong passphrase, and where something was changed."""

    def __init__(self, source: IO[bytes], passphrase: str) -> None:
        self._head = source.read(len(MAGIC) + 1 + SALT_BYTES)
        if not self._head.startswith(MAGIC) or len(self._head) < len(MAGIC) + 1 + SALT_BYTES:
            raise Unreadable("This is not a backup of a playground, or one of a newer version.")
        cost = self._head[len(MAGIC)]
        if not LEAST_COST <= cost <= MOST_COST:
            raise Unreadable("The file is damaged.")
        self._cipher = _cipher(passphrase, self._head[-SALT_BYTES:], cost)
        self._source = source
        self._next = source.read(PIECE + TAG_BYTES)
        self._number = 0
        self._open = b""
        self._ended = False
        self._advance()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._open and not self._ended:
            self._advance()
        size = min(len(view), len(self._open))
        view[:size] = self._open[:size]
        self._open = self._open[size:]
        return size

    def _advance(self) -> None:
        following = self._source.read(PIECE + TAG_BYTES)
        try:
            self._open = self._cipher.decrypt(_nonce(self._number, last=not following), self._next, self._head)
        except InvalidTag as error:
            wrong = "The passphrase is wrong, or the file is damaged."
            raise Unreadable("The file is damaged or cut short." if self._number else wrong) from error
        self._number += 1
        self._ended = not following
        self._next = following


def _cipher(passphrase: str, salt: bytes, cost: int) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=2**cost, r=8, p=1).derive(passphrase.encode()))


def _nonce(number: int, last: bool) -> bytes:
    return struct.pack(">xxxQB", number, last)
