"""The same verbs as over the socket, as plain POSTs: what pages do without one.

One view for all; the URL says which verb and which row.
"""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from chat.accounts.requests import PersonRequest
from chat.conversations import list_actions, verbs
from chat.conversations.errors import Refused
from chat.conversations.forms import storable
from chat.conversations.models import Conversation, Lane, Message
from chat.conversations.saying import answer_done, answer_refused


@login_required
@require_POST
def act(request: PersonRequest, action: str, **ids: Any) -> HttpResponse:
    """Perform ``action`` with the posted fields and the ids of the URL."""
    conversation_id = _conversation_of(request, ids)
    fields = request.POST.copy()
    for name, value in ids.items():
        fields[name] = str(value)
    try:
        done = verbs.perform(request.user, conversation_id, action, fields)
    except Refused as refusal:
        _keep_typed(request, conversation_id, action)
        return answer_refused(request, conversation_id, refusal)
    return answer_done(request, conversation_id, done)


def _conversation_of(request: PersonRequest, ids: dict[str, Any]) -> UUID:
    if "conversation_id" in ids:
        found: UUID = ids.pop("conversation_id")
        return found
    if "lane" in ids:
        return get_object_or_404(Lane.objects.of(request.user), pk=ids["lane"]).conversation_id
    where = {"pk": ids["message"]} if "message" in ids else {"run__pk": ids["run"]}
    return get_object_or_404(Message.objects.of(request.user), **where).lane.conversation_id


def _keep_typed(request: PersonRequest, conversation_id: UUID, action: str) -> None:
    """What could not be sent stands in the composer again."""
    if action == "send" and (text := storable(request.POST.get("text", ""))):
        chat = get_object_or_404(Conversation.objects.of(request.user), pk=conversation_id)
        list_actions.keep_typed(chat, text, "")
