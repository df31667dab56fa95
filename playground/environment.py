"""Reads the environment into checked values, and turns anything wrong into one clear sentence.

It owns parsing, generated secrets and the database address, for ``playground.settings`` alone.
"""

import base64
import binascii
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
DEFAULT_PORTS = {"http": 80, "https": 443}


class UnusableSetting(ImproperlyConfigured):
    """A setting that must not start the server; its text is one sentence for the person who set it."""


@dataclass(frozen=True)
class Environment:
    """Typed access to environment variables; an empty value counts as unset.

    Every method raises ``UnusableSetting`` with the variable's name where the value cannot be used.
    """

    values: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        return self.values.get(name, "").strip() or default

    def flag(self, name: str, *, default: bool) -> bool:
        word = self.text(name).lower()
        if word in TRUE:
            return True
        if word in FALSE:
            return False
        if not word:
            return default
        raise UnusableSetting(f"{name} must be on or off, not {word!r}.")

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return one of ``choices``; the first is the default."""
        word = self.text(name, choices[0]).lower()
        if word not in choices:
            raise UnusableSetting(f"{name} must be one of {', '.join(choices)}, not {word!r}.")
        return word

    def number(self, name: str, default: int, *, lowest: int, highest: int) -> int:
        word = self.text(name, str(default))
        if not word.isascii() or not word.isdigit() or not lowest <= int(word) <= highest:
            raise UnusableSetting(f"{name} must be a whole number from {lowest} to {highest}, not {word!r}.")
        return int(word)

    def words(self, name: str) -> list[str]:
        return [word.strip() for word in self.text(name).split(",") if word.strip()]

    def url(self, name: str, default: str) -> str:
        """Return an http or https address without a trailing slash, query or account."""
        address = self.text(name, default).rstrip("/")
        if not _is_plain_http(address):
            raise UnusableSetting(f"{name} must be an address such as {default}, not {address!r}.")
        return address

    def web_address(self, name: str) -> str:
        """Return an http or https address, its query included, or "" where the variable is unset."""
        address = self.text(name)
        if address and not _is_plain_http(address.partition("?")[0]):
            raise UnusableSetting(f"{name} must be an address such as https://example.com/hook.")
        return address

    def redis(self, name: str) -> str:
        """Return the address of a Redis server, or "" where the variable is unset."""
        address = self.text(name)
        if address and not _is_redis(address):
            raise UnusableSetting(f"{name} must look like redis://:password@host:6379/0, rediss://… or unix:///path.")
        return address

    def origin(self, name: str, default: str) -> str:
        """Return ``scheme://host[:port]`` as browsers send it in Origin."""
        origin = browser_origin(self.text(name, default).rstrip("/"))
        if not origin:
            raise UnusableSetting(f"{name} must be an address without a path, such as https://chat.example.com.")
        return origin

    def time_zone(self, name: str, default: str) -> str:
        zone = self.text(name, default)
        if zone not in available_timezones():
            raise UnusableSetting(f"{name} must be a time zone such as Europe/Paris, not {zone!r}.")
        return zone

    def file(self, name: str) -> Path | None:
        """Return an existing file, or None where the variable is unset."""
        word = self.text(name)
        if word and not Path(word).expanduser().is_file():
            raise UnusableSetting(f"{name}: there is no file {word}.")
        return Path(word).expanduser().resolve() if word else None

    def directory(self, name: str, default: Path) -> Path:
        """Return a directory that only this user may enter, made if it does not exist."""
        path = Path(self.text(name, str(default))).expanduser().resolve()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableSetting(f"{name}: cannot use {path} ({error.strerror}).") from error
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            raise UnusableSetting(f"{name}: {path} is not writable by this user.")
        return path


def browser_origin(address: str) -> str:
    """Return ``scheme://host[:port]`` as browsers send it, or "" for what is no http(s) origin (RFC 6454 6.2)."""
    try:
        parts = urlsplit(address.lower())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path or parts.query or parts.fragment:
        return ""
    if "@" in parts.netloc or port == 0:
        return ""
    shown_port = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{bracketed(parts.hostname)}{shown_port}"


def bracketed(host: str) -> str:
    """Return a host as it stands in an address: IPv6 in brackets (RFC 3986 3.2.2)."""
    return f"[{host.strip('[]')}]" if ":" in host else host


def hostname(address: str) -> str:
    """Return the host of an address as ``ALLOWED_HOSTS`` wants it."""
    return bracketed(urlsplit(address).hostname or "")


def kept_secret(path: Path, fresh: str) -> str:
    """Return the secret stored at ``path``, storing ``fresh`` there if it holds none yet (mode 0600).

    The exclusive link makes two processes that start together agree on one secret, and a reader never
    sees a half-written one.
    """
    try:
        if not path.exists():
            draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            draft.touch(mode=0o600)
            draft.write_text(fresh, encoding="ascii")
            with suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        secret = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise UnusableSetting(f"Cannot keep the generated secret in {path} ({error.strerror}).") from error
    if not secret:
        raise UnusableSetting(f"{path} is empty; delete it to have a new secret made.")
    return secret


def fresh_encryption_key() -> str:
    """Return 32 random bytes in URL-safe base64, the form that ``encryption_keys`` accepts."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


def encryption_keys(words: list[str]) -> tuple[str, ...]:
    """Return the keys in URL-safe base64, newest first; each must hold exactly 32 bytes."""
    keys = tuple(word.replace("+", "-").replace("/", "_") for word in words)
    for key in keys:
        try:
            size = len(base64.b64decode(key, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if size != 32:
            raise UnusableSetting("ENCRYPTION_KEYS must be comma-separated keys of 32 random bytes in base64 each.")
    return keys


def database(address: str, data_dir: Path) -> dict[str, Any]:
    """Return the Django database settings for ``postgres://user:password@host:port/name``, or SQLite if empty."""
    return _postgresql(address) if address else _sqlite(data_dir / "playground.sqlite3")


def _sqlite(path: Path) -> dict[str, Any]:
    return {
        "ENGINE": "playground.sqlite",
        "NAME": path,
        # A thread keeps its connection: opening one costs as much as several queries.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A transaction that begins as a reader and then writes fails at once under load; IMMEDIATE waits its turn.
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            # Those of one answer from the send to the last frame, and pages meanwhile.
            "cached_statements": 500,
            # NORMAL loses nothing on a crash of the process; under WAL a power cut can cost the last commits only.
            # What is in the WAL goes into the database beside the writers (``runs.journal``), at 32 MB at the latest:
            # a commit that must do it waits for the disk, and all others behind it.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000; "
            "PRAGMA wal_autocheckpoint=8000;",
        },
    }


def _postgresql(address: str) -> dict[str, Any]:
    parts = urlsplit(address)
    name = parts.path.lstrip("/")
    if parts.scheme not in ("postgres", "postgresql") or not parts.hostname or not name:
        raise UnusableSetting("DATABASE_URL must look like postgres://user:password@host:5432/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(name),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname,
        "PORT": str(_port("DATABASE_URL", address) or ""),
        # With the pool a lost connection heals at the next call, also in tasks that outlive requests.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 16, "timeout": 10}, **dict(parse_qsl(parts.query))},
    }


def _is_redis(address: str) -> bool:
    try:
        parts = urlsplit(address)
        database = parts.path.lstrip("/")
        usable = bool(parts.hostname) and parts.port != 0 and (not database or database.isdecimal())
    except ValueError:
        return False
    return (parts.scheme in ("redis", "rediss") and usable) or (parts.scheme == "unix" and bool(database))


def _port(name: str, address: str) -> int | None:
    try:
        return urlsplit(address).port
    except ValueError as error:
        raise UnusableSetting(f"{name} names a port that does not exist.") from error


def _is_plain_http(address: str) -> bool:
    try:
        parts = urlsplit(address)
        known = parts.scheme in DEFAULT_PORTS and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and not (parts.query or parts.fragment or parts.username or parts.password)
