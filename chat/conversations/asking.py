"""Queues one answer: freezes the request of a lane at a message, and makes the run and the message it will fill.

Called by the actions inside their transaction. The key and the offers of all lanes of a turn are looked up once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chat import request_ids
from chat.accounts.models import User
from chat.catalogue.models import Endpoint, ModelChoice, Offer, offers_of
from chat.conversations.errors import NoKey, OverLimit, Refused
from chat.conversations.history import Tree, path_messages
from chat.conversations.models import Lane, Message, Turn
from chat.keys.choose import KeyChoice, choose_payers, why_none
from chat.keys.errors import NotGranted, QuotaReached
from chat.prepared import Prepared, PreparedInsert, given
from chat.providers.payload import wire_request
from chat.providers.requests import ChatRequest, EndpointKind, Timeouts, WireMessage, WireRequest
from chat.runs.models import Run
from chat.runs.reservations import Way, reserve, ways_to_pay
from chat.runs.supervisor import process_id

CONTINUE_PROMPT = "Continue exactly where you stopped. Do not repeat anything and do not comment."
NEEDS_KEY = "This model needs a Hugging Face token. Paste yours, or ask an administrator."

_ADD_RUN = PreparedInsert(Run)
_ADD_MESSAGE = PreparedInsert(Message)
_BUSY = Prepared(
    lambda: (
        Run.objects.unsettled()
        .filter(topic=given("topic"), message__isnull=False)
        .held()
        .select_related("message")
        .only("pk", "message__id", "message__lane_id")
    )
)


@dataclass(frozen=True)
class Plan:
    """What one lane is about to be asked: with which model and parameters, and with which key it is paid."""

    lane: Lane
    endpoint: Endpoint
    parameters: Mapping[str, Any]
    # The first is taken where it has room.
    ways: tuple[Way, ...]

    @property
    def choice(self) -> ModelChoice:
        """What is asked; where a key may not be used with every provider, of which one."""
        return self.ways[0].route.choice

    @property
    def offer(self) -> Offer | None:
        return self.ways[0].route.offer

    @property
    def key(self) -> KeyChoice:
        return self.ways[0].key


@dataclass(frozen=True)
class Change:
    """What a regeneration does differently from its lane; None leaves it as it is."""

    choice: ModelChoice | None = None
    temperature: float | None = None


def plan(user: User, lanes: Iterable[Lane], change: Change | None = None) -> list[Plan]:
    """Look up keys and offers for some lanes. Raises NoKey, OverLimit or Refused, naming the model, before anything is
    written."""
    change = change or Change()
    wanted = [(lane, change.choice or lane.choice) for lane in lanes]
    places = [endpoint_of(lane, choice) for lane, choice in wanted]
    payers = choose_payers(user, [(place, lane.key_ref) for place, (lane, _) in zip(places, wanted, strict=True)])
    offers = offers_of(choice for _, choice in wanted)
    plans = []
    for (lane, choice), endpoint, keys in zip(wanted, places, payers, strict=True):
        if not keys:
            reason = why_none(user, endpoint) or NEEDS_KEY
            raise NoKey(reason if len(wanted) == 1 else f"{choice.label}: {reason}", "lanes")
        parameters = dict(lane.parameters)
        if change.temperature is not None:
            parameters["temperature"] = change.temperature
        try:
            ways = ways_to_pay(keys, endpoint, choice, offers)
        except NotGranted as refusal:
            raise OverLimit(str(refusal), "lanes") from refusal
        plans.append(Plan(lane, endpoint, parameters, tuple(ways)))
    return plans


def endpoint_of(lane: Lane, choice: ModelChoice) -> Endpoint:
    """Where ``choice`` is asked for a lane. Raises Refused where that is gone or switched off."""
    endpoint = lane.endpoint
    if endpoint is None or endpoint.pk != choice.endpoint_id:
        endpoint = Endpoint.objects.filter(pk=choice.endpoint_id or 0).first()
    if endpoint is None or not endpoint.enabled:
        raise Refused(f"{choice.label} is not available any more. Choose another model.", "lanes")
    return endpoint


def queue_answer(user: User, asked: Plan, turn: Turn, question: Message, continues: Message | None = None) -> Message:
    """Make the run and its message below ``question``; the caller starts the run after commit unless it waits."""
    before = busy_answer(turn.conversation.topic, question)
    prefix = continues.text if continues is not None else ""
    wire = _freeze(asked, question, prefix)
    run = Run(
        topic=turn.conversation.topic,
        owner=user,
        process_id=process_id(),
        after=before,
        endpoint=asked.endpoint,
        model_id=asked.choice.model_id,
        request=wire.to_json(),
        begun_by_request=request_ids.current(),
        prefix=prefix,
        **asked.ways[0].fields,
    )
    answer = Message(
        lane=asked.lane,
        turn=turn,
        parent=question,
        role=Message.Role.ASSISTANT,
        run=_ADD_RUN(run),
        model_label=asked.choice.label,
    )
    return _ADD_MESSAGE(answer)


def pay(user: User, asked: Sequence[tuple[Plan, Message]]) -> None:
    """Reserve what these answers may take from all limits, or raise OverLimit.

    Once all of them are queued: limits are held from here to the end of the transaction.
    """
    queued = [(asking, answer, answer.run) for asking, answer in asked if answer.run is not None]
    try:
        taken = reserve(user, [(run, asking.ways) for asking, _, run in queued])
    except QuotaReached as refusal:
        raise OverLimit(str(refusal)) from refusal
    for (asking, answer, run), way in zip(queued, taken, strict=True):
        if way is not asking.ways[0] and answer.parent is not None:
            _pay_with(way, asking, run, answer.parent)


def _pay_with(way: Way, asked: Plan, run: Run, question: Message) -> None:
    """Let a run that was queued be paid in another way than the first."""
    asked = replace(asked, ways=(way,))
    fields = {**way.fields, "request": _freeze(asked, question, run.prefix).to_json()}
    for name, value in fields.items():
        setattr(run, name, value)
    run.save(update_fields=list(fields))


def refreeze(run: Run, lane: Lane, question: Message) -> None:
    """Put into a waiting run's request what has been written since it was queued; all else is as when it was sent."""
    wire = run.wire_request
    if isinstance(wire.body.get("messages"), list):
        system = [message for message in wire.body["messages"][:1] if message.get("role") == "system"]
        messages = _messages(lane, question, run.prefix, run.endpoint)
        wire = replace(wire, body={**wire.body, "messages": [*system, *messages]})
    run.request = wire.to_json()


def busy_answer(topic: str, question: Message) -> Run | None:
    """The last answer above ``question`` whose text is not stored yet, behind which a new one waits.

    It cannot end before this transaction has: its end would not find who waits behind it.
    """
    if question.parent_id is None:
        return None
    runs = _BUSY.rows(topic=topic)
    busy = {run.message.pk: run for run in runs if run.message.lane_id == question.lane_id}
    if not busy:
        return None
    path = Tree.of_lanes([question.lane_id])[question.lane_id].path(question.pk)
    return next((busy[node.pk] for node in reversed(path) if node.pk in busy), None)


def _messages(lane: Lane, question: Message, prefix: str, endpoint: Endpoint | None) -> list[WireMessage]:
    """The lane's path down to ``question``, and where an answer is continued its text so far."""
    messages: list[WireMessage] = [*path_messages(lane, question)]
    if prefix:
        messages.append({"role": "assistant", "content": prefix})
        # llama.cpp goes on writing a last assistant message; elsewhere that is no more than a custom.
        if endpoint is None or not endpoint.is_local:
            messages.append({"role": "user", "content": CONTINUE_PROMPT})
    return messages


def _freeze(asked: Plan, question: Message, prefix: str) -> WireRequest:
    messages = _messages(asked.lane, question, prefix, asked.endpoint)
    return request_of(asked.lane, asked.choice, asked.endpoint, asked.parameters, asked.key.bill_to, messages)


def request_of(
    lane: Lane,
    choice: ModelChoice,
    endpoint: Endpoint,
    parameters: Mapping[str, Any],
    bill_to: str,
    messages: Iterable[WireMessage],
) -> WireRequest:
    """What ``choice`` is sent with a lane's system prompt before these messages. Raises ValueError as the wire does."""
    prompt = lane.system_prompt
    system: list[WireMessage] = [{"role": "system", "content": prompt}] if prompt.strip() else []
    return wire_request(
        ChatRequest(
            kind=EndpointKind(endpoint.kind),
            base_url=endpoint.base_url,
            model=choice.wire_id,
            messages=(*system, *messages),
            parameters={
                name: value for name, value in parameters.items() if name not in ("extra_body", "extra_headers")
            },
            extra_body=parameters.get("extra_body", {}),
            extra_headers=parameters.get("extra_headers", {}),
            bill_to=bill_to,
            timeouts=Timeouts(endpoint.connect_timeout, endpoint.first_token_timeout, endpoint.between_tokens_timeout),
        )
    )
