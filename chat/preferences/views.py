"""The settings page and the theme switch of the header. Everybody changes their own; there is no id in a URL."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from chat.accounts.requests import PersonRequest, page_before
from chat.conversations.parameter_form import ParameterForm
from chat.preferences import actions
from chat.preferences.forms import PreferencesForm, ThemeForm


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: PersonRequest) -> HttpResponse:
    stored = request.user.default_parameters
    if request.method != "POST":
        return _page(request, PreferencesForm.of(request.user), ParameterForm(stored))
    form, parameters = PreferencesForm(request.POST), ParameterForm(stored, request.POST)
    # Both are asked, so that all that is wrong is shown at once.
    if not (form.is_valid() & parameters.is_valid()):
        return _page(request, form, parameters, status=422)
    actions.save_preferences(request.user, form.cleaned_data, parameters.values)
    messages.success(request, "Saved. New chats start so.")
    return redirect("settings")


@login_required
@require_POST
def set_theme(request: PersonRequest) -> HttpResponse:
    """Light, dark or like the system; htmx has shown it already, others go back to the page they came from."""
    form = ThemeForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("There is no such theme.")
    actions.set_theme(request.user, form.cleaned_data["theme"])
    return HttpResponse(status=204) if request.htmx else redirect(page_before(request))


def _page(request: PersonRequest, form: PreferencesForm, parameters: ParameterForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "parameters": parameters, "page": "settings"}
    return render(request, "chat/preferences/page.html", context, status=status)
