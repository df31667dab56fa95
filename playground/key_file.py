"""The generated encryption keys where they are kept: a file that one process may replace while others go on.

``playground.settings`` names it, the vault reads it, ``manage.py rotate_encryption_key`` writes it.
"""

import os
import secrets
from pathlib import Path

from playground.environment import encryption_keys


class KeyFile:
    """The generated encryption keys in a file, the newest first. It may change under a running server, which asks
    ``changed`` before every use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = self._stamp()

    def read(self) -> tuple[str, ...]:
        return encryption_keys(self.path.read_text(encoding="ascii").replace(",", " ").split())

    def changed(self) -> tuple[str, ...] | None:
        """The keys, if the file is another one than when it was last asked."""
        stamp = self._stamp()
        if stamp is None or stamp == self._seen:
            return None
        keys = self.read()
        self._seen = stamp
        return keys

    def write(self, keys: tuple[str, ...]) -> None:
        """Put these keys in the place of the present ones: whoever reads finds all of the one or all of the other."""
        draft = self.path.with_name(f".{self.path.name}.{secrets.token_hex(8)}")
        try:
            draft.touch(mode=0o600)
            with draft.open("w", encoding="ascii") as target:
                target.write(",".join(keys))
                target.flush()
                os.fsync(target.fileno())
            os.replace(draft, self.path)
        finally:
            draft.unlink(missing_ok=True)

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
