"""The page of one's keys, and the box in the model picker where a key is pasted.

Each view authorises, validates with a form, calls one action and renders: a partial for htmx, else the page or a
redirect to it. A key of somebody else does not exist here (404).
"""

from dataclasses import dataclass
from typing import Any

from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from chat.accounts.models import User
from chat.accounts.requests import PersonRequest
from chat.catalogue.models import Endpoint
from chat.keys import actions
from chat.keys.asking import KeyRequest, RequestForm, TooManyRequests, ask
from chat.keys.check import token_page
from chat.keys.errors import KeysError
from chat.keys.forms import BillToForm, KeyForm, endpoints_for_keys
from chat.keys.models import PersonalKey
from chat.keys.shares import shared_with

ASKED_TOO_OFTEN = "That is a lot of keys for one minute. Wait a little and try again."
# What the model picker and the composer listen for.
KEYS_CHANGED = "keys-changed"
# How many requests for more are shown, answered ones included.
REQUESTS_SHOWN = 5


@dataclass(frozen=True)
class KeyRow:
    """One own key as the page shows it. ``token_page`` makes a token with the right that this one may lack."""

    key: PersonalKey
    token_page: str
    problem: str = ""


@login_required
@require_safe
def page(request: PersonRequest) -> HttpResponse:
    return _page(request, KeyForm())


@sensitive_post_parameters("secret")
@login_required
@require_POST
def add(request: PersonRequest) -> HttpResponse:
    """Store an own key, checked once; a refused one is not stored and the form says why."""
    form = KeyForm(request.POST)
    key = _store(request, form)
    if key is None:
        return _own(request, form, 422) if request.htmx else _page(request, form, 422)
    if request.htmx:
        return trigger_client_event(_own(request, KeyForm(), saved=key), KEYS_CHANGED)
    messages.success(request, _saved(key))
    return redirect("keys:page")


@sensitive_post_parameters("secret")
@login_required
@require_POST
def paste(request: PersonRequest) -> HttpResponse:
    """Store a key from the box in the model picker and say there what came of it."""
    form = KeyForm(request.POST)
    key = _store(request, form)
    if not request.htmx:
        return _page(request, form, 422) if key is None else redirect("keys:page")
    endpoint = get_object_or_404(Endpoint, pk=_number(request.POST.get("endpoint")), enabled=True)
    context = {"endpoint": endpoint, "form": form, "key": key, "token_page": token_page(endpoint)}
    response = render(request, "chat/keys/_paste.html", context, status=200 if key else 422)
    return trigger_client_event(response, KEYS_CHANGED) if key else response


@login_required
@require_POST
def check(request: PersonRequest, pk: int) -> HttpResponse:
    key, problem = _own_key(request.user, pk), ""
    try:
        if ratelimit.consume(request, action="check_key"):
            actions.check_again(key)
        else:
            problem = ASKED_TOO_OFTEN
    except KeysError as error:
        problem = str(error)
    return _changed(request, key, problem)


@login_required
@require_POST
def bill(request: PersonRequest, pk: int) -> HttpResponse:
    """Choose which organisation pays."""
    key, problem = _own_key(request.user, pk), ""
    form = BillToForm(request.POST)
    try:
        actions.bill_to(key, form.cleaned_data["organisation"] if form.is_valid() else "?")
    except KeysError as error:
        problem = str(error)
    return _changed(request, key, problem)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: PersonRequest, pk: int) -> HttpResponse:
    """Ask first (GET), then delete (POST): a secret cannot be brought back."""
    key = _own_key(request.user, pk)
    if request.method == "POST":
        actions.delete_personal_key(key)
        if request.htmx:
            return trigger_client_event(_own(request, KeyForm()), KEYS_CHANGED)
        messages.success(request, f"{key.display} is deleted.")
        return redirect("keys:page")
    return render(request, "chat/keys/_delete.html" if request.htmx else "chat/keys/delete.html", {"key": key})


@login_required
@require_safe
def row(request: PersonRequest, pk: int) -> HttpResponse:
    """One key as it stands, for those who asked to delete it and thought better of it."""
    return _changed(request, _own_key(request.user, pk), "")


@login_required
@require_POST
def ask_for_more(request: PersonRequest) -> HttpResponse:
    """Queue a request for the administrators."""
    form = RequestForm(request.user, request.POST)
    if form.is_valid():
        try:
            ask(request.user, form.cleaned_data["shared_key"], form.cleaned_data["words"])
        except TooManyRequests:
            form.add_error(None, "You are waiting for answers already. Ask again once there is one.")
        else:
            messages.success(request, "Asked. You see the answer here.")
            return redirect("keys:page")
    return _page(request, KeyForm(), 422, form)


def _store(request: PersonRequest, form: KeyForm) -> PersonalKey | None:
    """Return the stored key, or None with the reason on the form."""
    if not form.is_valid():
        return None
    if not ratelimit.consume(request, action="check_key"):
        form.add_error(None, ASKED_TOO_OFTEN)
        return None
    try:
        # Not through a variable: error pages show those.
        return actions.add_personal_key(
            request.user, form.cleaned_data["endpoint"], form.cleaned_data["secret"], form.cleaned_data["label"]
        )
    except KeysError as error:
        form.add_error("secret", str(error))
        return None


def _own_key(user: User, pk: int) -> PersonalKey:
    return get_object_or_404(PersonalKey.objects.select_related("endpoint"), pk=pk, user=user)


def _page(
    request: PersonRequest, form: KeyForm, status: int = 200, request_form: RequestForm | None = None
) -> HttpResponse:
    asked = KeyRequest.objects.filter(person=request.user)
    context = {
        **_own_context(request.user, form),
        "shared_keys": shared_with(request.user),
        "request_form": request_form or RequestForm(request.user),
        "requests": asked.select_related("shared_key").order_by("-pk")[:REQUESTS_SHOWN],
    }
    return render(request, "chat/keys/page.html", context, status=status)


def _own(request: PersonRequest, form: KeyForm, status: int = 200, saved: PersonalKey | None = None) -> HttpResponse:
    context = {**_own_context(request.user, form), "saved": _saved(saved) if saved else ""}
    return render(request, "chat/keys/_own.html", context, status=status)


def _own_context(user: User, form: KeyForm) -> dict[str, Any]:
    keys = PersonalKey.objects.filter(user=user).select_related("endpoint").order_by("-pk")
    router = endpoints_for_keys().first()
    return {
        # Names the entry of the sidebar.
        "page": "keys",
        "rows": [_row(key) for key in keys],
        "form": form,
        "token_page": token_page(router) if router else "",
    }


def _changed(request: PersonRequest, key: PersonalKey, problem: str) -> HttpResponse:
    if request.htmx:
        response = render(request, "chat/keys/_key.html", {"row": _row(key, problem)})
        return trigger_client_event(response, KEYS_CHANGED)
    if problem:
        messages.error(request, problem)
    return redirect("keys:page")


def _row(key: PersonalKey, problem: str = "") -> KeyRow:
    return KeyRow(key, token_page(key.endpoint), problem)


def _saved(key: PersonalKey) -> str:
    shown = f"Only …{key.last_four} is shown from now on." if key.last_four else "It is not shown again."
    return f"Saved. {shown} {key.check_report}"


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0
