"""How the log reads: lines and JSON say the same, and an object stays on one line."""

import json
import logging
import sys
from contextvars import copy_context

import pytest
from django.db import IntegrityError, transaction
from pytest_django import Settings

from chat import request_ids
from chat.runs.models import Run
from playground.logs import JsonFormatter, LineFormatter
from tests.factories import make_user

FACTS = {"run": 7, "status": "done", "error": "", "seconds": 0.25, "endpoint": None}


def record(message: str = "Run ended.", *, facts: object = None, failed: bool = False) -> logging.LogRecord:
    made = logging.LogRecord("chat.runs", logging.INFO, __file__, 1, message, (), sys.exc_info() if failed else None)
    if facts is not None:
        made.facts = facts
    return made


def test_a_line_ends_with_what_is_known() -> None:
    line = LineFormatter("%(levelname)s %(name)s: %(message)s").format(record(facts=FACTS))

    assert line == "INFO chat.runs: Run ended. run=7 status=done seconds=0.25"


def test_json_has_the_same_facts_as_fields() -> None:
    entry = json.loads(JsonFormatter().format(record(facts=FACTS)))

    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "INFO",
        "logger": "chat.runs",
        "message": "Run ended.",
        "run": 7,
        "status": "done",
        "seconds": 0.25,
    }


@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_whatever_is_logged_during_a_request_names_it(formatter: logging.Formatter) -> None:
    def during() -> str:
        request_ids._current.set("of-the-proxy")
        return formatter.format(record())

    assert "of-the-proxy" in copy_context().run(during)
    assert "request_id" not in formatter.format(record())


def test_a_traceback_stays_inside_its_object() -> None:
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        written = JsonFormatter().format(record("Failed\nhere.", failed=True))

    assert "\n" not in written
    assert "ValueError: one\ntwo" in json.loads(written)["traceback"]


def test_what_is_too_short_for_a_secret_is_left_in_other_words(settings: Settings) -> None:
    settings.METRICS_TOKEN = "en"

    assert "Run ended." in LineFormatter().format(record())


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize("formatter", [LineFormatter(), JsonFormatter()])
def test_rows_that_the_database_refuses_are_not_logged(formatter: logging.Formatter) -> None:
    run = Run(topic="here", owner=make_user("alice"), text="canary\ncanary again", prompt_tokens=-1)
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError as error:
        made = logging.LogRecord("chat", logging.ERROR, __file__, 1, "It broke: %s", (error,), sys.exc_info())

    assert "canary" in logging.Formatter().format(made)
    written = formatter.format(made)
    assert "violates check constraint" in written and "Traceback" in written
    assert "canary" not in written
