"""One message at a time: its text to copy or to see raw, and the form that edits it."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from chat.accounts.requests import PersonRequest
from chat.conversations import actions
from chat.conversations.errors import Refused
from chat.conversations.forms import EditForm
from chat.conversations.history import message_with_siblings
from chat.conversations.models import Message
from chat.conversations.presenting import show_html
from chat.markdown import plain


@login_required
@require_GET
def message_text(request: PersonRequest, message: int) -> HttpResponse:
    """The text as written; ``?view=plain`` without its Markdown, ``?view=raw`` as a fragment to look at."""
    text = _own(request, message).text
    view = request.GET.get("view")
    if view == "raw":
        return render(request, "chat/conversations/_raw.html", {"text": text})
    return HttpResponse(plain(text) if view == "plain" else text, content_type="text/plain; charset=utf-8")


@login_required
@require_http_methods(["GET", "POST"])
def edit_message(request: PersonRequest, message: int) -> HttpResponse:
    found = get_object_or_404(Message.objects.of(request.user).live(), pk=message)
    form = EditForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_message(request.user, found, form.cleaned_data["text"])
        except Refused as refusal:
            form.add_error("text", refusal.sentence)
        else:
            return HttpResponse(status=204) if request.htmx else redirect("conversation", found.lane.conversation_id)
    template = "chat/conversations/_message_edit.html" if request.htmx else "chat/conversations/edit.html"
    status = 422 if form.errors else 200
    return render(request, template, {"message": found, "form": form, "lane": found.lane}, status=status)


@login_required
@require_GET
def show_message(request: PersonRequest, message: int) -> HttpResponse:
    """The message as it stands, for whoever cancels an edit."""
    found = _own(request, message)
    if not request.htmx or found.deleted_at is not None:
        return redirect("conversation", found.lane.conversation_id)
    found = message_with_siblings(found.pk)
    show_html(found)
    name = "_message_user" if found.role == Message.Role.USER else "_answer"
    return render(request, f"chat/conversations/{name}.html", {"message": found, "run": found.run})


@login_required
@require_GET
def message_menu(request: PersonRequest, message: int, which: str) -> HttpResponse:
    """What one can do with an answer, or the ways to have it written ``again``; pages load these when asked."""
    found = _own(request, message)
    name = "_again_menu" if which == "again" else "_answer_menu"
    return render(request, f"chat/conversations/{name}.html", {"message": found})


def _own(request: PersonRequest, pk: int) -> Message:
    return get_object_or_404(Message.objects.of(request.user), pk=pk)
