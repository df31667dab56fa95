"""The drawer that shows a call as code: of one lane, following its settings, or of one answer, as it was sent."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from chat.accounts.requests import PersonRequest
from chat.conversations.errors import Refused
from chat.conversations.models import Lane, Message
from chat.markdown.code import block
from chat.markdown.sanitise import sanitise
from chat.markdown.stored import stored
from chat.snippets.asked import call_of_lane, call_of_run, providers_of
from chat.snippets.builder import Call, snippet
from chat.snippets.clients import CLIENTS, CLIENTS_BY_SLUG, Client

GONE = "Where this was sent is not known any more."


@dataclass(frozen=True, slots=True)
class Shown:
    """What the drawer was asked to show; anything it does not know counts as not asked."""

    client: Client
    provider: str | None
    streams: bool | None

    @classmethod
    def of(cls, request: PersonRequest, providers: list[str]) -> "Shown":
        asked = request.GET
        provider = asked.get("provider")
        return cls(
            CLIENTS_BY_SLUG.get(asked.get("client", ""), CLIENTS[0]),
            provider if provider in ("", *providers) else None,
            {"on": True, "off": False}.get(asked.get("stream", "")),
        )


@login_required
@require_safe
def lane_code(request: PersonRequest, lane: int) -> HttpResponse:
    lanes = Lane.objects.of(request.user).live().select_related("conversation", "endpoint", "head")
    found = get_object_or_404(lanes, pk=lane)
    providers = providers_of(found)
    shown = Shown.of(request, providers)
    chosen = found.provider if shown.provider is None else shown.provider
    context = {
        "lane": found,
        "title": found.model_label,
        "providers": providers,
        "provider": chosen,
        "is_local": found.endpoint is not None and found.endpoint.is_local,
    }
    try:
        call = call_of_lane(request.user, found, shown.provider)
    except (Refused, ValueError) as error:
        return _drawer(request, {**context, "problem": getattr(error, "sentence", str(error))}, shown, None)
    return _drawer(request, context, shown, call)


@login_required
@require_safe
def answer_code(request: PersonRequest, message: int) -> HttpResponse:
    answers = Message.objects.of(request.user).filter(run__isnull=False)
    found = get_object_or_404(answers.select_related("run__endpoint", "lane__conversation"), pk=message)
    assert found.run is not None
    call = call_of_run(found.run)
    context = {
        "answer": found,
        "lane": found.lane,
        "title": found.model_label,
        "is_local": found.run.endpoint is not None and found.run.endpoint.is_local,
        "problem": "" if call else GONE,
    }
    return _drawer(request, context, Shown.of(request, []), call)


def _drawer(request: PersonRequest, context: dict[str, Any], shown: Shown, call: Call | None) -> HttpResponse:
    if call is not None and shown.streams is not None:
        call = call.streaming(shown.streams)
    name = "lane_code" if "answer" not in context else "answer_code"
    subject = context.get("answer") or context["lane"]
    address = reverse(name, args=[subject.pk])
    kept = {name: value for name, value in request.GET.items() if name in ("provider", "stream")}
    context |= {
        "address": address,
        "tabs": [(client, f"{address}?{urlencode({'client': client.slug, **kept})}") for client in CLIENTS],
        "client": shown.client,
        "streams": call.streams if call else False,
        "variable": call.variable if call else "",
        "code": _html(snippet(call, shown.client).code, shown.client) if call else "",
        "install": _html(shown.client.install, CLIENTS_BY_SLUG["curl"]) if shown.client.install else "",
    }
    return render(request, f"chat/snippets/{'_drawer' if request.htmx else 'page'}.html", context)


def _html(code: str, client: Client) -> SafeString:
    """A program as answers show theirs: coloured, with a button that copies it."""
    return stored(sanitise(block(code, client.lexer)))
