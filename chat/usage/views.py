"""A person's own use, on ``/usage/``. Use by others is in Django admin, for administrators."""

from datetime import date, datetime, time, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_POST, require_safe

from chat.accounts.requests import PersonRequest
from chat.keys.own_limits import OwnLimitsForm, own_standings, set_own_limits
from chat.usage.chart import chart
from chat.usage.reports import monthly_report, next_month, this_month
from chat.usage.spans import days_of

FIRST_YEAR = 2020


@login_required
@require_safe
def usage(request: PersonRequest) -> HttpResponse:
    """The current month, or the one of ``?month=2026-10``."""
    return _page(request, OwnLimitsForm(request.user))


@login_required
@require_POST
def own_limits(request: PersonRequest) -> HttpResponse:
    """Limits that a person sets for themselves."""
    form = OwnLimitsForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, form, 422)
    set_own_limits(request.user, form)
    messages.success(request, "Saved. It holds from the next message on.")
    return redirect("usage")


def _page(request: PersonRequest, form: OwnLimitsForm, status: int = 200) -> HttpResponse:
    report = monthly_report(request.user, _month(request.GET.get("month", "")))
    uses = [(day, line.model_id, line) for day, lines in report.days for line in lines]
    context = {
        "report": report,
        "chart": chart(uses, days_of(report.month, next_month(report.month))),
        "zone": timezone.get_default_timezone_name(),
        "tomorrow": _begins(timezone.localdate() + timedelta(days=1)),
        "next_month": _begins(next_month(this_month())),
        "own_limits": form,
        "own_standings": own_standings(request.user),
        # Names the entry of the sidebar.
        "page": "usage",
    }
    return render(request, "chat/usage/page.html", context, status=status)


def _month(typed: str) -> date:
    try:
        month = parse_date(f"{typed}-01")
    except ValueError:
        month = None
    return month if month and month.year >= FIRST_YEAR and month <= this_month() else this_month()


def _begins(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
