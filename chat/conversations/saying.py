"""Tells a person what came of a plain request: at once where htmx asked, with the next page of the chat where not.

Views call it. What is said over the socket is in ``frames``; this is the same in the words of HTTP.
"""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from chat.accounts.requests import PersonRequest
from chat.conversations.addresses import message_address
from chat.conversations.errors import Refused
from chat.conversations.frames import Toast, done_frame, errors_frame, picker_error_frame
from chat.conversations.verbs import Done


def answer_done(request: PersonRequest, conversation_id: UUID, done: Done) -> HttpResponse:
    """The chat, or to htmx what its page is told; what changed in lanes comes by socket or with the next news."""
    if not request.htmx:
        if done.toast is not None:
            messages.info(request, done.toast.text, extra_tags=done.toast.undo_url)
        if done.message_id is not None:
            return redirect(message_address(conversation_id, done.message_id))
        return redirect("conversation", conversation_id)
    html = done_frame(done.receipt, done.toast, done.composer_text)
    return HttpResponse(html) if html else HttpResponse(status=204)


def answer_refused(request: PersonRequest, conversation_id: UUID, refusal: Refused) -> HttpResponse:
    """The chat with a sentence by its composer. To htmx that sentence alone, or 422 where another choice is needed."""
    if not request.htmx:
        messages.error(request, refusal.sentence)
        return redirect("conversation", conversation_id)
    if refusal.field == "choice":
        return HttpResponse(picker_error_frame(refusal.sentence), status=422)
    return HttpResponse(errors_frame((refusal.sentence,)))


def said(request: PersonRequest) -> tuple[tuple[str, ...], list[Toast]]:
    """What requests before this one had to say: sentences for the composer, and toasts."""
    waiting = list(messages.get_messages(request))
    errors = tuple(str(message) for message in waiting if message.level >= messages.ERROR)
    others = (message for message in waiting if message.level < messages.ERROR)
    return errors, [Toast(str(message), message.extra_tags) for message in others]
