"""The list inside the model picker, the providers of one model, the page of models, and asking for a newer list.

None of them waits for the network: lists are read in the background. What picking does belongs to whoever opened
the picker.
"""

from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.db.models import Case, F, When
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import trigger_client_event

from chat.accounts.requests import PersonRequest
from chat.catalogue.choices import UnusableChoice, addressed, parse_choice
from chat.catalogue.models import POLICIES, Endpoint, ModelChoice, Offer
from chat.catalogue.sync import request_sync
from chat.picker.forms import search_from
from chat.picker.listing import list_age, list_models, more_rows, page_of_models

# The picker reads its list anew on this.
MODELS_CHANGED = "models-changed"
# After Refresh the page asks so many times, every two seconds, whether the list has come.
TIMES_TO_ASK = 8


@login_required
@require_safe
def results(request: PersonRequest) -> HttpResponse:
    """The list in the picker, searched and filtered; without htmx the same search on the page of models."""
    if not request.htmx:
        return redirect(f"{reverse('models')}?{request.GET.urlencode()}")
    context = {"picker": list_models(request.user, search_from(request.GET))}
    return render(request, "chat/catalogue/_picker_results.html", context)


@login_required
@require_safe
def more(request: PersonRequest) -> HttpResponse:
    """Later rows of the list in the picker."""
    context = {"picker": more_rows(request.user, search_from(request.GET))}
    return render(request, "chat/catalogue/_picker_more.html", context)


@login_required
@require_safe
def offers(request: PersonRequest) -> HttpResponse:
    """The providers of one model: those that work first, by speed."""
    try:
        choice = parse_choice(request.GET.get("model", ""))
    except UnusableChoice as error:
        raise Http404 from error
    endpoint = get_object_or_404(Endpoint, pk=choice.endpoint_id or 0)
    listed = Offer.objects.listed().named(endpoint.pk, choice.model_id)
    fails = Case(When(status=Offer.Status.LIVE, then=0), default=1)
    fastest_first = listed.order_by(fails, F("tokens_per_second").desc(nulls_last=True), "provider")
    context = {
        "offers": [(offer, _through(choice, offer.provider, endpoint)) for offer in fastest_first],
        "policies": [(policy, _through(choice, policy, endpoint)) for policy in POLICIES if endpoint.is_router],
    }
    return render(request, "chat/catalogue/_picker_offers.html", context)


@login_required
@require_safe
def models(request: PersonRequest) -> HttpResponse:
    """The whole list on a page of its own."""
    context = {"listing": page_of_models(request.user, search_from(request.GET)), "page": "models"}
    return render(request, "chat/catalogue/models.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def refresh(request: PersonRequest) -> HttpResponse:
    """POST asks for a newer list and returns at once; GET tells whether it has come."""
    asked = request.method == "POST" and request_sync()
    if not request.htmx:
        return redirect("models")
    age = list_age()
    since = age.read_at if asked else _moment(request.GET.get("since", ""))
    left = TIMES_TO_ASK if asked else min(_number(request.GET.get("left")), TIMES_TO_ASK)
    waiting = left > 0 and age.read_at == since
    context = {"age": age, "waiting": waiting, "left": left - 1}
    response = render(request, "chat/catalogue/_list_age.html", context)
    return response if waiting or asked else trigger_client_event(response, MODELS_CHANGED)


def _through(choice: ModelChoice, provider: str, endpoint: Endpoint) -> str:
    return addressed(ModelChoice(endpoint.pk, choice.model_id, provider), endpoint)


def _moment(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else 0
