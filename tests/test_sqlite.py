"""The SQLite backend translates placeholders as Django's does, from the first call on."""

import pytest
from django.db import connection

from playground.sqlite.base import Cursor

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


def test_statements_are_translated_the_same_each_time() -> None:
    for value in ("a", "%s", "b"):
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s, '%%s', 7 %% 4", [value])
            assert cursor.fetchall() == [(value, "%s", 3)]


def test_named_placeholders_are_translated_too() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %(first)s, %(second)s", {"second": 2, "first": 1})
        assert cursor.fetchall() == [(1, 2)]


def test_this_cursor_is_the_one_that_is_used() -> None:
    with connection.cursor() as cursor:
        assert isinstance(cursor.cursor, Cursor)
