"""Tables as CSV files to download: streamed, however long, and harmless in a spreadsheet.

A spreadsheet takes a cell that begins with one of ``= + - @`` for a formula and runs it, so such text gets an
apostrophe in front (OWASP, "CSV Injection"); figures stay figures.
"""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from chat.database import in_database_later

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")
ROWS_AT_A_TIME = 500
Cells = Callable[[Any], Sequence[Any]]


def csv_response(
    request: HttpRequest, name: str, head: Sequence[str], rows: QuerySet[Any], cells: Cells
) -> StreamingHttpResponse:
    """A download called ``<name>.csv`` in UTF-8: ``head``, then the ``cells`` of each of ``rows``, the newest first.

    Times are in UTC (ISO 8601). The order of ``rows`` is that of their keys: each part is a query of its own, so that
    a slow reader holds nothing open.
    """
    parts = csv_parts(head, rows, cells)
    content = _parts_on_loop(parts) if isinstance(request, ASGIRequest) else parts
    response = StreamingHttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def csv_parts(head: Sequence[str], rows: QuerySet[Any], cells: Cells) -> Iterator[str]:
    """The text of the file, some hundred lines at a time."""
    yield _lines([head])
    batch = list(rows.order_by("-pk")[:ROWS_AT_A_TIME])
    while batch:
        yield _lines([[harmless(value) for value in cells(row)] for row in batch])
        batch = list(rows.order_by("-pk").filter(pk__lt=batch[-1].pk)[:ROWS_AT_A_TIME])


def harmless(value: Any) -> Any:
    """A value as it stands in a cell."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA):
        return f"'{value}"
    return value


async def _parts_on_loop(parts: Iterator[str]) -> AsyncIterator[str]:
    while part := await in_database_later(next, parts, ""):
        yield part


def _lines(rows: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
