"""Which call a person wants as a program: that of a lane as it stands now, or that of an answer as it was sent."""

from dataclasses import replace

from chat.accounts.models import User
from chat.catalogue.models import POLICIES, Endpoint, ModelChoice, offers_of
from chat.conversations.asking import endpoint_of, request_of
from chat.conversations.history import Tree, path_messages
from chat.conversations.models import Lane, Message
from chat.keys.choose import choose_key
from chat.providers.requests import EndpointKind, WireMessage, WireRequest, chat_url
from chat.runs.models import Run
from chat.snippets.builder import Call

NOTHING_ASKED = "Write your question here."
# Where llama.cpp's own server listens unless told otherwise. The one of the playground answers nobody else.
LLAMA_SERVER = "http://127.0.0.1:8080/v1"


def call_of_lane(user: User, lane: Lane, provider: str | None = None) -> Call:
    """The call that asks the lane's last question with its settings of now, by another provider where one is named.

    Raises Refused where its model cannot be asked any more, and ValueError for settings that cannot be sent.
    """
    choice = lane.choice if provider is None else replace(lane.choice, provider=provider)
    endpoint = endpoint_of(lane, choice)
    key = choose_key(user, endpoint, lane.key_ref)
    bill_to = key.bill_to if key else ""
    return _call(request_of(lane, choice, endpoint, lane.parameters, bill_to, _asked(lane)), endpoint)


def call_of_run(run: Run) -> Call | None:
    """The call that was made for an answer; None where it, or the place it went to, is not known any more."""
    return _call(run.wire_request, run.endpoint) if run.endpoint is not None and run.request else None


def providers_of(lane: Lane) -> list[str]:
    """Who could serve the lane's model, the router's own rules first; nobody to choose from at other endpoints."""
    if lane.endpoint is None or not lane.endpoint.is_router:
        return []
    listed = {offer.provider for offer in offers_of([ModelChoice(lane.endpoint_id, lane.model_id)]) if offer.provider}
    named = {lane.provider} - {"", *POLICIES}
    return [*POLICIES, *sorted(listed | named)]


def _call(wire: WireRequest, endpoint: Endpoint) -> Call:
    if endpoint.is_local:
        wire = replace(wire, url=chat_url(LLAMA_SERVER))
    return Call.of(wire, EndpointKind(endpoint.kind), endpoint.needs_key)


def _asked(lane: Lane) -> tuple[WireMessage, ...]:
    """What the lane shows down to its last question; before the first one, what stands in the composer."""
    path = Tree.of(lane).path(lane.head_id)
    question = next((node.pk for node in reversed(path) if node.role == Message.Role.USER), None)
    if question is None:
        return ({"role": "user", "content": lane.conversation.composer_text.strip() or NOTHING_ASKED},)
    return path_messages(lane, Message.objects.get(pk=question))
