"""The list of chats: search, rename, pin, delete and restore, and the text that is typed but not sent."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat.accounts.requests import PersonRequest
from chat.conversations import list_actions
from chat.conversations.forms import DraftForm, TitleForm
from chat.conversations.frames import Toast, composer_meter_frame, toast_frame
from chat.conversations.models import Conversation
from chat.conversations.search.hits import search_conversations
from chat.conversations.search.words import LONGEST_QUERY
from chat.conversations.sidebar import chat_list


@login_required
@require_GET
def search_chats(request: PersonRequest) -> HttpResponse:
    """What fits the words typed, as they are typed; without words the list of chats, or what stands below its end."""
    typed, before = request.GET.get("q", "")[:LONGEST_QUERY], request.GET.get("before", "")
    if before and request.htmx:
        return render(request, "chat/_chat_list.html", chat_list(request.user, before))
    context = {"chat_query": typed.strip(), "chat_hits": search_conversations(request.user, typed)}
    if request.htmx:
        return render(request, "chat/_chat_hits.html", context)
    return render(request, "chat/conversations/search.html", {**context, **chat_list(request.user, before)})


@login_required
@require_http_methods(["GET", "POST"])
def rename_chat(request: PersonRequest, conversation_id: UUID) -> HttpResponse:
    chat = _own(request, conversation_id)
    form = TitleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        list_actions.rename(chat, form.cleaned_data["title"])
    if not request.htmx:
        return redirect("conversation", chat.pk)
    chat.refresh_from_db()
    template = "chat/_sidebar_item.html" if request.method == "POST" else "chat/_sidebar_item_form.html"
    return render(request, template, {"item": chat})


@login_required
@require_GET
def chat_menu(request: PersonRequest, conversation_id: UUID) -> HttpResponse:
    return render(request, "chat/_chat_menu.html", {"item": _own(request, conversation_id)})


@login_required
@require_POST
def pin_chat(request: PersonRequest, conversation_id: UUID) -> HttpResponse:
    chat = _own(request, conversation_id)
    list_actions.set_pinned(chat, not chat.pinned)
    return _list_or_page(request, chat)


@login_required
@require_POST
def delete_chat(request: PersonRequest, conversation_id: UUID) -> HttpResponse:
    chat = _own(request, conversation_id)
    list_actions.delete(chat)
    undo = reverse("restore_chat", args=[chat.pk])
    if request.htmx:
        response = render(request, "chat/_chat_list.html", chat_list(request.user))
        response.write(toast_frame(Toast(f"“{chat}” was deleted.", undo)))
        return response
    messages.info(request, format_html("“{}” was deleted.", chat), extra_tags=undo)
    return redirect("new_chat")


@login_required
@require_POST
def restore_chat(request: PersonRequest, conversation_id: UUID) -> HttpResponse:
    chat = get_object_or_404(Conversation.objects.filter(owner=request.user), pk=conversation_id)
    list_actions.restore(chat)
    return _list_or_page(request, chat)


@login_required
@require_POST
def save_draft(request: PersonRequest, conversation_id: UUID) -> HttpResponse:
    """Keep what is typed, and say what sending it would take."""
    chat = _own(request, conversation_id)
    form = DraftForm(request.POST)
    if form.is_valid():
        list_actions.keep_typed(chat, form.cleaned_data["text"], form.cleaned_data["client_id"])
        chat.composer_text = form.cleaned_data["text"]
    return HttpResponse(composer_meter_frame(chat, ask_keys=True))


def _own(request: PersonRequest, conversation_id: UUID) -> Conversation:
    return get_object_or_404(Conversation.objects.of(request.user), pk=conversation_id)


def _list_or_page(request: PersonRequest, chat: Conversation) -> HttpResponse:
    if request.htmx:
        return render(request, "chat/_chat_list.html", chat_list(request.user))
    return redirect("conversation", chat.pk)
