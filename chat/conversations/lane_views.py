"""Dialogs about a lane: the model picker, opened to change, to add or to answer again, and the parameter drawer."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat.accounts.requests import PersonRequest
from chat.catalogue.choices import UnusableChoice, pick_choice
from chat.catalogue.models import ModelChoice
from chat.conversations import lane_actions
from chat.conversations.errors import Refused
from chat.conversations.forms import SystemPromptForm
from chat.conversations.models import Conversation, Lane, Message
from chat.conversations.parameter_form import ParameterForm
from chat.conversations.presenting import drawer_context
from chat.conversations.saying import answer_done, answer_refused
from chat.conversations.verbs import Done
from chat.picker.listing import Picker, open_picker


@login_required
@require_http_methods(["GET", "POST"])
def change_model(request: PersonRequest, lane: int) -> HttpResponse:
    found = _lane(request, lane)
    if request.method == "GET":
        return _picker(request, open_picker(request.user, request.GET, action=request.path))
    try:
        lane_actions.change_model(request.user, found, _picked(request))
    except Refused as refusal:
        return answer_refused(request, found.conversation_id, refusal)
    return answer_done(request, found.conversation_id, Done())


@login_required
@require_http_methods(["GET", "POST"])
def add_lane(request: PersonRequest, conversation_id: UUID) -> HttpResponse:
    chat = get_object_or_404(Conversation.objects.of(request.user), pk=conversation_id)
    if request.method == "GET":
        return _picker(request, open_picker(request.user, request.GET, action=request.path, adding=True))
    try:
        lane_actions.add_lane(request.user, chat, _picked(request), copy=request.POST.get("start") != "empty")
    except Refused as refusal:
        return answer_refused(request, chat.pk, refusal)
    return answer_done(request, chat.pk, Done())


@login_required
@require_GET
def regenerate_with(request: PersonRequest, message: int) -> HttpResponse:
    """The picker for an answer by another model or provider; picking posts to the verb that writes it."""
    found = get_object_or_404(Message.objects.of(request.user), pk=message)
    action = reverse("regenerate", args=[found.pk])
    return _picker(request, open_picker(request.user, request.GET, action=action))


@login_required
@require_http_methods(["GET", "POST"])
def lane_parameters(request: PersonRequest, lane: int) -> HttpResponse:
    """The drawer. A change is saved as far as it is valid; what is not stands beside its field."""
    found = _lane(request, lane)
    if request.method == "GET":
        name = "_drawer" if request.htmx else "parameters"
        return render(request, f"chat/conversations/{name}.html", drawer_context(request.user, found))
    context = drawer_context(request.user, found, request.POST)
    system = SystemPromptForm({"lane": found.pk, "system_prompt": request.POST.get("system_prompt", "")})
    parameters: ParameterForm = context["parameters"]
    if system.is_valid():
        try:
            lane_actions.set_settings(found, system.cleaned_data["system_prompt"], parameters.values)
        except Refused as refusal:
            system.add_error("system_prompt", refusal.sentence)
    context["form_errors"] = [str(error) for error in system.errors.get("system_prompt", [])]
    if not request.htmx and parameters.is_valid() and system.is_valid():
        return redirect("conversation", found.conversation_id)
    return render(request, f"chat/conversations/{'_drawer_saved' if request.htmx else 'parameters'}.html", context)


@login_required
@require_POST
def reset_parameters(request: PersonRequest, lane: int) -> HttpResponse:
    found = _lane(request, lane)
    lane_actions.set_settings(found, found.system_prompt, {})
    return _drawer(request, lane)


@login_required
@require_POST
def apply_to_all(request: PersonRequest, lane: int) -> HttpResponse:
    lane_actions.apply_to_all(_lane(request, lane))
    return _drawer(request, lane)


@login_required
@require_POST
def copy_parameters(request: PersonRequest, lane: int, other: int) -> HttpResponse:
    found = _lane(request, lane)
    source = get_object_or_404(Lane.objects.of(request.user), pk=other, conversation_id=found.conversation_id)
    lane_actions.copy_settings(source, found)
    return _drawer(request, lane)


def _lane(request: PersonRequest, pk: int) -> Lane:
    lanes = Lane.objects.of(request.user).live().select_related("conversation", "endpoint", "head")
    return get_object_or_404(lanes, pk=pk)


def _picker(request: PersonRequest, picker: Picker) -> HttpResponse:
    name = "_picker" if request.htmx else "choose"
    return render(request, f"chat/catalogue/{name}.html", {"picker": picker})


def _picked(request: PersonRequest) -> ModelChoice:
    """The row that was pressed, else what Enter means for the text that was typed. Raises Refused."""
    try:
        return pick_choice(request.POST.get("choice") or request.POST.get("q", ""), request.user)
    except UnusableChoice as error:
        raise Refused(str(error), "choice") from error


def _drawer(request: PersonRequest, lane: int) -> HttpResponse:
    found = _lane(request, lane)
    if not request.htmx:
        return redirect("conversation", found.conversation_id)
    return render(request, "chat/conversations/_drawer.html", drawer_context(request.user, found))
