"""Puts a notice away. Only who is shown it finds it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from chat.accounts.requests import PersonRequest, page_before
from chat.notices import actions
from chat.notices.models import Notice


@login_required
@require_POST
def dismiss(request: PersonRequest, pk: int) -> HttpResponse:
    actions.dismiss(get_object_or_404(Notice.objects.shown_to(request.user), pk=pk), request.user)
    return HttpResponse() if request.htmx else redirect(page_before(request))
