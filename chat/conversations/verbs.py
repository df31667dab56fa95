"""Performs what a page asks for: a name and fields, whether they came over the socket or as a plain POST.

Each handler validates with its form, finds the rows among the person's own (anything else is Http404), and calls
one action. Rights are checked here on every single call.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse

from chat.accounts.models import User
from chat.catalogue.choices import UnusableChoice, pick_choice
from chat.catalogue.models import ModelChoice
from chat.conversations import actions, all_lanes, lane_actions, tree_actions
from chat.conversations.asking import Change
from chat.conversations.errors import Refused
from chat.conversations.forms import (
    AskNowForm,
    EmptyForm,
    LaneForm,
    MessageForm,
    MoveForm,
    RegenerateForm,
    RunForm,
    SendForm,
    SystemPromptForm,
)
from chat.conversations.frames import Toast
from chat.conversations.models import Conversation, Lane, LaneQuerySet, Message, MessageQuerySet, open_chat

Fields = Mapping[str, Any]
F = TypeVar("F", bound=forms.Form)


@dataclass(frozen=True, slots=True)
class Done:
    """What to tell the page that asked: a toast, the receipt of a sent message, text for the composer.

    ``message_id`` is the message to have in view, for a page that is loaded anew.
    """

    toast: Toast | None = None
    receipt: str = ""
    composer_text: str | None = None
    message_id: int | None = None


Handler = Callable[[User, Conversation, Fields], Done]


def perform(user: User, conversation_id: UUID, action: str, fields: Fields) -> Done:
    """Do one thing in one of the person's chats. Raises Refused with a sentence, or Http404."""
    handler = HANDLERS.get(action)
    if handler is None:
        raise Refused("This page is older than the server. Reload it.")
    conversation = open_chat(user, conversation_id)
    if conversation is None:
        raise Http404
    return handler(user, conversation, fields)


def _send(user: User, conversation: Conversation, fields: Fields) -> Done:
    values = _clean(SendForm(_as_querydict(fields)))
    actions.send_message(
        user, conversation, values["text"], values["lanes"], values["client_id"], key_ref=values["key"]
    )
    return Done(receipt=values["client_id"])


def _stop(user: User, conversation: Conversation, fields: Fields) -> Done:
    message = get_object_or_404(_messages(user, conversation), run_id=_clean(RunForm(fields))["run"])
    tree_actions.stop_message(message)
    return Done()


def _stop_all(user: User, conversation: Conversation, fields: Fields) -> Done:
    _clean(EmptyForm(fields))
    tree_actions.stop_conversation(conversation)
    return Done()


def _take_back(user: User, conversation: Conversation, fields: Fields) -> Done:
    message = _message(user, conversation, fields)
    return Done(composer_text=tree_actions.take_back(message.turn))


def _regenerate(user: User, conversation: Conversation, fields: Fields) -> Done:
    message = _message(user, conversation, fields)
    values = _clean(RegenerateForm(fields))
    typed = values["choice"] or values["q"]
    choice = _picked(typed, user) if typed else None
    actions.regenerate(user, message, Change(choice=choice, temperature=values["temperature"]))
    return Done()


def _continue(user: User, conversation: Conversation, fields: Fields) -> Done:
    actions.continue_answer(user, _message(user, conversation, fields))
    return Done()


def _regenerate_all(user: User, conversation: Conversation, fields: Fields) -> Done:
    return _done_in_all(
        all_lanes.regenerate_all(user, conversation), "There is no answer yet that could be written again."
    )


def _continue_all(user: User, conversation: Conversation, fields: Fields) -> Done:
    return _done_in_all(all_lanes.continue_all(user, conversation), "No answer here was cut off.")


def _done_in_all(asked: all_lanes.Asked, none: str) -> Done:
    """Tell which lanes were left out, and why; ``none`` where there was nothing to ask."""
    if not asked.count:
        raise Refused(none)
    return Done(Toast(" ".join(asked.refusals)) if asked.refusals else None)


def _raise_limit(user: User, conversation: Conversation, fields: Fields) -> Done:
    actions.continue_answer(user, _message(user, conversation, fields), raise_limit=True)
    return Done()


def _drop_parameter(user: User, conversation: Conversation, fields: Fields) -> Done:
    actions.retry_without_parameter(user, _message(user, conversation, fields))
    return Done()


def _select(user: User, conversation: Conversation, fields: Fields) -> Done:
    message = _message(user, conversation, fields)
    tree_actions.select_message(message)
    return Done(message_id=message.pk)


def _delete(user: User, conversation: Conversation, fields: Fields) -> Done:
    pk = _clean(MessageForm(fields))["message"]
    message = get_object_or_404(_messages(user, conversation).filter(lane__removed_at__isnull=True), pk=pk)
    # A second click, or another tab, asks for what is done already.
    if message.deleted_at is not None:
        return Done()
    tree_actions.delete_message(message)
    return Done(Toast("Deleted, with what followed.", reverse("restore_message", args=[message.pk])))


def _restore(user: User, conversation: Conversation, fields: Fields) -> Done:
    pk = _clean(MessageForm(fields))["message"]
    tree_actions.restore_message(get_object_or_404(_messages(user, conversation), pk=pk))
    return Done()


def _ask_now(user: User, conversation: Conversation, fields: Fields) -> Done:
    row = _clean(AskNowForm(fields))["row"]
    actions.ask_now(user, _lane(user, conversation, fields), row)
    return Done()


def _set_system_prompt(user: User, conversation: Conversation, fields: Fields) -> Done:
    lane = _lane(user, conversation, fields)
    lane_actions.set_settings(lane, _clean(SystemPromptForm(fields))["system_prompt"], lane.parameters)
    return Done()


def _duplicate_lane(user: User, conversation: Conversation, fields: Fields) -> Done:
    lane_actions.duplicate_lane(user, _lane(user, conversation, fields))
    return Done()


def _move_lane(user: User, conversation: Conversation, fields: Fields) -> Done:
    step = -1 if _clean(MoveForm(fields))["direction"] == "left" else 1
    lane_actions.move_lane(_lane(user, conversation, fields), step)
    return Done()


def _remove_lane(user: User, conversation: Conversation, fields: Fields) -> Done:
    lane = _lane(user, conversation, fields)
    lane_actions.remove_lane(lane)
    return Done(Toast(f"{lane.model_label} was removed.", reverse("restore_lane", args=[lane.pk])))


def _restore_lane(user: User, conversation: Conversation, fields: Fields) -> Done:
    lane_actions.restore_lane(_own_lane(Lane.objects.of(user), conversation, fields))
    return Done()


HANDLERS: dict[str, Handler] = {
    "send": _send,
    "stop": _stop,
    "stop_all": _stop_all,
    "take_back": _take_back,
    "regenerate": _regenerate,
    "continue_answer": _continue,
    "regenerate_all": _regenerate_all,
    "continue_all": _continue_all,
    "raise_limit": _raise_limit,
    "drop_parameter": _drop_parameter,
    "select_message": _select,
    "delete_message": _delete,
    "restore_message": _restore,
    "ask_now": _ask_now,
    "set_system_prompt": _set_system_prompt,
    "duplicate_lane": _duplicate_lane,
    "move_lane": _move_lane,
    "remove_lane": _remove_lane,
    "restore_lane": _restore_lane,
}


def _picked(typed: str, user: User) -> ModelChoice:
    try:
        return pick_choice(typed, user)
    except UnusableChoice as error:
        raise Refused(str(error), "choice") from error


def _messages(user: User, conversation: Conversation) -> MessageQuerySet:
    return Message.objects.of(user).filter(lane__conversation=conversation)


def _message(user: User, conversation: Conversation, fields: Fields) -> Message:
    pk = _clean(MessageForm(fields))["message"]
    found: Message = get_object_or_404(_messages(user, conversation).live(), pk=pk)
    return found


def _lane(user: User, conversation: Conversation, fields: Fields) -> Lane:
    return _own_lane(Lane.objects.of(user).live(), conversation, fields)


def _own_lane(lanes: LaneQuerySet, conversation: Conversation, fields: Fields) -> Lane:
    found = lanes.select_related("conversation", "head")
    return get_object_or_404(found, conversation=conversation, pk=_clean(LaneForm(fields))["lane"])


def _clean(form: forms.Form) -> dict[str, Any]:
    """The cleaned values, or Refused with the first thing that is wrong."""
    if form.is_valid():
        return form.cleaned_data
    field, errors = next(iter(form.errors.items()))
    raise Refused(str(errors[0]), field)


def _as_querydict(fields: Fields) -> QueryDict:
    """JSON from the socket gives one checked box as a text and several as a list; a form wants both as lists."""
    if isinstance(fields, QueryDict):
        return fields
    data = QueryDict(mutable=True)
    for name, value in fields.items():
        data.setlist(name, [str(item) for item in (value if isinstance(value, list) else [value])])
    return data
