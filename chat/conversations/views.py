"""The pages of a chat and the fragments they read: new chat, conversation, news for pages without a socket.

Every view finds its rows among the person's own; anything else is a 404.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from chat.accounts.requests import PersonRequest
from chat.catalogue.choices import UnknownModel, UnusableChoice, default_choice, local_choice, parse_choice
from chat.catalogue.models import Endpoint, ModelChoice, Offer
from chat.conversations import list_actions
from chat.conversations.composer import TEXT_LIMIT
from chat.conversations.errors import Refused
from chat.conversations.forms import storable
from chat.conversations.frames import earlier_frame, news_frame
from chat.conversations.history import next_row, rows_per_page
from chat.conversations.models import MAX_LANES, Conversation, Turn
from chat.conversations.presenting import conversation_context
from chat.conversations.saying import said
from chat.conversations.sidebar import chat_list
from chat.conversations.starters import STARTERS, open_starter
from chat.keys.choose import has_router_key

# Digits of a row's number: more is none of ours.
LONGEST_ROW = 9
LONGEST_ID = 18
# So many rows a page shows at most to have an earlier message among them.
MOST_ROWS = 200


@login_required
@require_GET
def new_chat(request: PersonRequest) -> HttpResponse:
    """``/``: the person's draft. ``?model=a,b&prompt=…`` and ``?starter=…`` begin another one so."""
    if starter := STARTERS.get(request.GET.get("starter", "")):
        return _anew(request, lambda: open_starter(request.user, starter, local_choice() or first_choice(request)))
    if "model" in request.GET or "prompt" in request.GET:
        choices = _typed_choices(request) or [first_choice(request)]
        prompt = storable(request.GET.get("prompt", ""))[:TEXT_LIMIT]
        return _anew(request, lambda: list_actions.fresh_draft(request.user, choices, prompt))
    draft = list_actions.draft_for(request.user, [first_choice(request)])
    return render(request, "chat/conversations/page.html", _page(request, draft))


@login_required
@require_GET
def conversation(request: PersonRequest, conversation_id: UUID) -> HttpResponse:
    found = get_object_or_404(Conversation.objects.of(request.user), pk=conversation_id)
    if found.is_draft:
        return redirect("new_chat")
    list_actions.mark_seen(found)
    before, since = _around(found, request.GET.get("message", ""))
    return render(request, "chat/conversations/page.html", _page(request, found, before, since))


@login_required
@require_GET
def fragment(request: PersonRequest, conversation_id: UUID) -> HttpResponse:
    """All lanes as out-of-band swaps, for a page that has no socket."""
    found = get_object_or_404(Conversation.objects.of(request.user), pk=conversation_id)
    list_actions.mark_seen(found)
    return HttpResponse(news_frame(request.user, found))


@login_required
@require_GET
def earlier(request: PersonRequest, conversation_id: UUID) -> HttpResponse:
    """The rows above those that a page shows, of all lanes."""
    found = get_object_or_404(Conversation.objects.of(request.user), pk=conversation_id)
    before = request.GET.get("before", "")
    if not before.isdecimal() or len(before) > LONGEST_ROW:
        return redirect("conversation", conversation_id)
    if not request.htmx:
        return render(request, "chat/conversations/page.html", _page(request, found, int(before)))
    return HttpResponse(earlier_frame(request.user, found, int(before)))


@login_required
@require_POST
def reset_draft(request: PersonRequest) -> HttpResponse:
    return _anew(request, lambda: list_actions.fresh_draft(request.user, [first_choice(request)]))


def _anew(request: PersonRequest, begin: Callable[[], object]) -> HttpResponse:
    """Begin another draft; where the one there is could not be put away, it stays, with the reason."""
    try:
        begin()
    except Refused as refusal:
        messages.error(request, refusal.sentence)
    return redirect("new_chat")


def first_choice(request: PersonRequest) -> ModelChoice:
    """What a new chat starts with when nothing is asked for."""
    return default_choice(request.user, has_key=has_router_key(request.user))


def _typed_choices(request: PersonRequest) -> list[ModelChoice]:
    """The models of ``?model=a,b``; what cannot be one is left out."""
    choices = []
    for typed in request.GET.get("model", "").split(",", MAX_LANES)[:MAX_LANES]:
        if typed.strip():
            try:
                choices.append(parse_choice(typed))
            except UnknownModel as unknown:
                choices.extend([unknown.as_typed] if unknown.as_typed else [])
            except UnusableChoice as error:
                messages.error(request, str(error))
    return choices


def _around(found: Conversation, message: str) -> tuple[int | None, int | None]:
    """The rows between which a page stands that a message is on; the last ones where it names none of this chat."""
    if not message.isdecimal() or len(message) > LONGEST_ID:
        return None, None
    turns = Turn.objects.filter(messages__pk=message, conversation=found)
    row = turns.values_list("row", flat=True).first()
    if row is None:
        return None, None
    # Very far up the page shows the place alone, as one that was scrolled there would show all.
    far = next_row(found) - row > MOST_ROWS
    return (row + rows_per_page(MAX_LANES) // 2, None) if far else (None, row - 1)


def _page(
    request: PersonRequest, found: Conversation, before: int | None = None, since: int | None = None
) -> dict[str, Any]:
    context = conversation_context(request.user, found, before, since=since)
    errors, toasts = said(request)
    return {
        **context,
        "composer": replace(context["composer"], errors=errors, live=found.live_answers()),
        "toasts": toasts,
        **chat_list(request.user),
        "socket_url": f"/ws/c/{found.pk}/",
        "fragment_url": reverse("fragment", args=[found.pk]),
        **(_beginning(request) if found.is_draft else {}),
    }


def _beginning(request: PersonRequest) -> dict[str, Any]:
    """What stands in a chat in which nothing was asked yet."""
    local, has_key = local_choice(), has_router_key(request.user)
    listed = Offer.objects.listed().filter(endpoint__kind=Endpoint.Kind.ROUTER)
    return {
        "starters": list(STARTERS.values()) if local or has_key else [],
        "local_model": local.label if local else "",
        "models_behind_a_token": 0 if has_key else listed.values("language_model").distinct().count(),
        "has_key": has_key,
    }
