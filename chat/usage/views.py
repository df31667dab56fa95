"""A person's own use, on ``/usage/``. Use by others is in Django admin, for administrators."""

from datetime import date

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from chat.accounts.requests import PersonRequest
from chat.usage.reports import monthly_report, this_month

FIRST_YEAR = 2020


@login_required
@require_safe
def usage(request: PersonRequest) -> HttpResponse:
    """The current month, or the one of ``?month=2026-10``."""
    report = monthly_report(request.user, _month(request.GET.get("month", "")))
    return render(request, "chat/usage/page.html", {"report": report, "page": "usage"})


def _month(typed: str) -> date:
    try:
        month = parse_date(f"{typed}-01")
    except ValueError:
        month = None
    return month if month and month.year >= FIRST_YEAR and month <= this_month() else this_month()
