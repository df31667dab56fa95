"""How the log reads: as lines for people or as JSON for machines, without anything that opens a door.

Secrets are kept out of what is logged; masking is for what others log, such as the path of a request that failed or
the text of somebody's exception. Beside its message a record may carry ``facts``: a few figures and ids, never words of
people or models. Named by ``LOGGING``.
"""

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from chat import request_ids
from chat.providers.credential import MASK, mask_tokens

# Anything shorter is no secret, and a part of ordinary words.
SHORTEST_SECRET = 8
# The secret of a one-time link stands in its path.
_LINK = re.compile(r"(/(?:in|join)/)[\w-]+")


class LineFormatter(logging.Formatter):
    """A line as usual, then the facts as ``name=value``, then the traceback; masked as a whole."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={value}" for name, value in _facts(record).items())
        return super().formatMessage(record) + facts

    def format(self, record: logging.LogRecord) -> str:
        return masked(_without_rows(super().format(record), record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line. Each text is masked before it is encoded: encoding would hide a secret from masking."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_facts(record),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        entry = {
            name: _without_rows(value, record) if isinstance(value, str) else value for name, value in entry.items()
        }
        shown = {name: masked(value) if isinstance(value, str) else value for name, value in entry.items()}
        return json.dumps(shown, default=lambda value: masked(str(value)))


def masked(text: str) -> str:
    """``text`` without this server's secrets, anything that looks like a Hugging Face token, and one-time links."""
    for secret in (settings.HF_TOKEN, settings.METRICS_TOKEN, settings.SECRET_KEY, *settings.ENCRYPTION_KEYS):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
    return _LINK.sub(rf"\1{MASK}", mask_tokens(text))


def _without_rows(text: str, record: logging.LogRecord) -> str:
    """``text`` with no more than the first line of what a database said: PostgreSQL goes on with whole rows."""
    for error in _errors(record):
        if isinstance(error, DatabaseError):
            said = str(error)
            text = text.replace(said, said.partition("\n")[0])
    return text


def _errors(record: logging.LogRecord) -> Iterator[BaseException]:
    """All that stands in a record and its traceback, causes included."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    waiting = [error for error in (*arguments, *(record.exc_info or ())) if isinstance(error, BaseException)]
    seen: set[int] = set()
    while waiting:
        error = waiting.pop()
        if id(error) not in seen:
            seen.add(id(error))
            waiting += [reason for reason in (error.__cause__, error.__context__) if reason is not None]
            yield error


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    facts: dict[str, Any] = {"request_id": request_ids.current(), **getattr(record, "facts", {})}
    return {name: value for name, value in facts.items() if value not in (None, "")}


def logging_settings(formatter: str) -> dict[str, Any]:
    """What goes to the log and in which form: ``line`` or ``json``."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "class": "playground.logs.LineFormatter",
                "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
            },
            "json": {"class": "playground.logs.JsonFormatter"},
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": formatter}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "chat": {"level": "INFO"},
            "playground": {"level": "INFO"},
            "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
            # Pages that do not exist and forbidden requests are the visitor's affair.
            "django.request": {"level": "ERROR"},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            # A traceback each second while Redis is away; ``chat.relay`` says once that it is.
            "channels_redis": {"level": "CRITICAL"},
        },
    }
