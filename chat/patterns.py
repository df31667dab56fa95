"""Every partial in every state, filled with invented chats: what ``/patterns/`` shows to staff.

Nothing here is read from or written to the database; runs are unsaved rows, the rest are plain values with
the attributes that each partial names in its first comment. The view of that page is at the end.
"""

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace as Sample
from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render as render_page
from django.views.decorators.http import require_safe

from chat.catalogue.models import Endpoint, ModelChoice
from chat.conversations.models import Conversation
from chat.conversations.parameter_form import ParameterForm, Target
from chat.conversations.search.hits import Hit
from chat.conversations.search.words import excerpt, marked, parse
from chat.markdown import render
from chat.parameters import initial
from chat.pattern import Pattern
from chat.people_patterns import people_patterns
from chat.picker.forms import Search
from chat.picker.listing import TINY, ListAge, Picker, Section
from chat.picker.rows import Row
from chat.providers.requests import EndpointKind
from chat.runs.models import Run
from chat.usage_patterns import usage_patterns

CONVERSATIONS = "chat/conversations"
QUESTION = "Explain entropy to a curious twelve-year-old, then give me the one formula that matters."
SHORT_ANSWER = """\
Entropy counts **how many ways** the small parts of a thing can be arranged without changing what you see. \
A tidy desk has few arrangements that look tidy; a messy one has millions.

- Left alone, things drift to the arrangement that can happen in the most ways.
- That is why ice melts and milk never unmixes.

In symbols, with $W$ arrangements, $S = k \\ln W$.
"""
CODE_ANSWER = """\
Think of a shuffled deck. There is one way to be in order and 8 × 10⁶⁷ ways not to be. Entropy is the logarithm of \
that count.

```python
from math import factorial, log

deck = factorial(52)      # arrangements
entropy = log(deck)       # 156.4 nats
```

So “disorder” is only a nickname: what grows is the number of
"""
THOUGHTS = "The reader is twelve. I should begin with something that can be held in the hand, like a deck of cards."
RAW_ERROR = '{"error": {"message": "Too many requests", "type": "rate_limit_exceeded", "code": 429}}'
FIGURES: dict[str, Any] = {
    "first_token_seconds": 0.31,
    "tokens_per_second": 142.0,
    "elapsed_seconds": 2.4,
    "prompt_tokens": 214,
    "completion_tokens": 318,
    "cost": Decimal("0.0002"),
    "finish_reason": "stop",
    "served_by": "cerebras",
    "key_label": "Team key …ab12",
    "response_id": "chatcmpl-8f3ad2",
    "system_fingerprint": "fp_5c1e",
}
STATES: dict[str, dict[str, Any]] = {
    "waiting for the answer above": {"status": "queued", "after_id": 1},
    "waiting for the first token": {"status": "queued"},
    "thinking": {"status": "streaming", "reasoning_html": render(THOUGHTS)},
    "streaming": {
        "status": "streaming",
        "html": render(CODE_ANSWER),
        "reasoning_html": render(THOUGHTS),
        "reasoning_seconds": 3.1,
        "first_token_seconds": 0.94,
        "tokens_per_second": 61.0,
        "cost": Decimal("0.0011"),
    },
    "done": {"status": "done", "html": render(SHORT_ANSWER), **FIGURES},
    "stopped": {
        "status": "stopped",
        "html": render("Entropy counts how"),
        "text": "Entropy counts how",
        **FIGURES,
        "usage_estimated": True,
    },
    "cut off at the limit": {"status": "done", "html": render(SHORT_ANSWER), **FIGURES, "finish_reason": "length"},
    "nothing but thoughts": {
        "status": "done",
        "reasoning": THOUGHTS,
        "reasoning_html": render(THOUGHTS),
        "reasoning_seconds": 8.2,
        **FIGURES,
        "finish_reason": "length",
    },
    "interrupted": {"status": "interrupted", "html": render("Think of a shuffled deck.")},
    "failed": {
        "status": "failed",
        "error_sentence": "The provider together answers too many requests at the moment (429).",
        "error_remedies": ["retry", "other_provider", "other_key", "wait"],
        "error_raw": RAW_ERROR,
    },
    "asks for a tool": {
        "status": "done",
        "tool_calls": [{"id": "call_1", "name": "get_weather", "arguments": '{"city": "Vienna", "unit": "celsius"}'}],
        **FIGURES,
        "finish_reason": "tool_calls",
    },
}


def answer_state(state: str, pk: int) -> tuple[Sample, Run]:
    """An answer in one of STATES with its message; ``pk`` keeps the ids of a page apart."""
    run = Run(pk=pk, **STATES[state])
    siblings = Sample(position=2, count=3, previous=pk + 900, next=pk + 901) if state == "done" else None
    message = Sample(
        pk=pk, role="assistant", model_label="DeepSeek-R1", text="", siblings=siblings, run=run, parent_id=pk
    )
    return message, run


def sample_turn(lane_pk: int, row: int, state: str) -> Sample:
    """A question and its answer in one lane."""
    pk = lane_pk * 100 + row * 2
    user = Sample(pk=pk + 50, role="user", text=QUESTION, siblings=None)
    return Sample(row=row, user=user, answer=answer_state(state, pk)[0], asked=True, can_ask=True)


def sample_lane(pk: int, letter: str, label: str, provider: str, *states: str) -> Sample:
    """A lane in which each of ``states`` is one turn."""
    facts = Sample(
        provider=provider,
        context_length=65536,
        input_price=Decimal("0.55"),
        output_price=Decimal("2.19"),
        parameters_set=pk,
        state="",
    )
    turns = [sample_turn(pk, row, state) for row, state in enumerate(states, start=1)]
    return Sample(
        pk=pk,
        letter=letter,
        model_label=label,
        model_id=f"org/{label}",
        system_prompt="You explain physics with everyday things. Short sentences." if letter == "A" else "",
        conversation_id=SAMPLE_ID,
        facts=facts,
        turns=turns,
        earlier_url="",
        previous_pk=None,
        next_pk=pk + 1,
    )


SAMPLE_ID = "00000000-0000-4000-8000-000000000000"
LANE_A = sample_lane(1, "A", "Llama-3.1-8B-Instruct", "cerebras", "done")
LANE_B = sample_lane(2, "B", "DeepSeek-R1", "together", "streaming")
CONVERSATION = Sample(
    pk=SAMPLE_ID,
    title="Explain entropy",
    stamp="",
    is_draft=False,
    pinned=False,
    composer_text="",
)
COMPOSER = Sample(
    client_id="sample",
    live=0,
    errors=[],
    keys=[Sample(ref="shared:1", label="Team key", last_four="ab12", selected=True)],
    context_used=3100,
    context_length=131072,
    too_long=False,
    most_it_costs=Decimal("0.003"),
    most_tokens=7200,
    models=1,
    left_today=None,
)
DIFFERENCES = [
    ("temperature", [("A", "0"), ("B", "1.2")]),
    ("seed", [("A", "–"), ("B", "7")]),
    ("provider", [("A", "cerebras"), ("B", "together")]),
]


def sample_drawer() -> dict[str, Any]:
    """The drawer with set, unset, wrong, overridden and unread knobs."""
    stored = {"temperature": 1.2, "max_tokens": 1024, "seed": 7, "presence_penalty": 0.5}
    typed = initial(stored) | {"frequency_penalty": "9", "extra_body": '{"presence_penalty": 0}'}
    form = ParameterForm(stored, typed, Target(EndpointKind.TGI, room=124_800))
    return {"lane": LANE_B, "lanes": [LANE_A, LANE_B], "parameters": form}


def sample_row(name: str, **extra: Any) -> Row:
    """One model of the picker."""
    endpoint = Endpoint(pk=1, slug="hf", label="Hugging Face", kind=Endpoint.Kind.ROUTER)
    row = Row(
        endpoint,
        ModelChoice(1, f"org/{name}"),
        context_length=131072,
        marks=("tools", "JSON"),
        input_price=Decimal("0.05"),
        status="live",
        offers=5,
    )
    return replace(row, **extra)


def sample_picker() -> Picker:
    """The model picker with each kind of row."""
    local = sample_row(
        "SmolLM2-135M-Instruct", context_length=16384, marks=(), is_free=True, status="ready", reason=TINY, offers=0
    )
    everything = [
        sample_row("Llama-3.1-8B-Instruct"),
        sample_row("Qwen3-235B-A22B-Thinking", marks=("tools",), input_price=Decimal("0.3"), status="failing"),
        sample_row("gpt-oss-120b", needs_key=True),
    ]
    return Picker(
        Search(filters=("tools",)),
        [Section("On this machine", [local]), Section("All", everything)],
        ListAge("List as of 14:05"),
        providers=["cerebras", "together"],
        adding=True,
    )


def answer_patterns() -> list[Pattern]:
    """An answer in each state."""
    patterns = []
    for number, state in enumerate(STATES, start=1):
        message, run = answer_state(state, 5000 + number)
        context = {"message": message, "run": run, "lane": LANE_B}
        patterns.append(Pattern(f"Answer: {state}", f"{CONVERSATIONS}/_answer.html", context))
    return patterns


def composer_pattern(title: str, lanes: list[Sample], **changes: Any) -> Pattern:
    """The composer with some of its values changed."""
    composer = Sample(**(vars(COMPOSER) | changes))
    context = {"composer": composer, "lanes": lanes, "conversation": CONVERSATION, "user": Sample(enter_sends=True)}
    return Pattern(f"Composer: {title}", f"{CONVERSATIONS}/_composer.html", context)


def sample_hits() -> list[Hit]:
    """What a search for "entropy" finds: by title, in an answer, in another version of one."""
    query, chat = parse("entropy"), Conversation(title="Entropy for a curious child")
    title = marked(str(chat), query)
    return [
        Hit(chat, "/", title),
        Hit(chat, "/", title, "Llama-3.1-8B", excerpt=excerpt(SHORT_ANSWER, query), message_id=7003),
        Hit(chat, "/", title, asked=True, excerpt=excerpt(QUESTION, query), message_id=7004, elsewhere=True),
    ]


def patterns() -> list[Pattern]:
    """Everything the page shows, in order."""
    both = [LANE_A, LANE_B]
    long_message = Sample(pk=7001, text=QUESTION * 30, siblings=None)
    edited = Sample(pk=7002, role="user", text=QUESTION, model_label="")
    missing_key = "This model needs a Hugging Face token."
    return [
        *answer_patterns(),
        Pattern("Long message, folded", f"{CONVERSATIONS}/_message_user.html", {"message": long_message}),
        Pattern("Message being edited", f"{CONVERSATIONS}/_message_edit.html", {"message": edited}),
        Pattern(
            "Turn that a lane was not asked",
            f"{CONVERSATIONS}/_not_asked.html",
            {"lane": LANE_A, "turn": Sample(row=0, can_ask=True)},
        ),
        Pattern("Settings that differ", f"{CONVERSATIONS}/_differences.html", {"differences": DIFFERENCES}),
        Pattern("Lanes", f"{CONVERSATIONS}/_lanes.html", {"lanes": both, "conversation": CONVERSATION}),
        composer_pattern("one model", [LANE_A]),
        composer_pattern("two models, answering", both, live=2, most_it_costs=Decimal("0.012"), models=2),
        composer_pattern("two models, a limited key", both, models=2, left_today=Decimal("1.4"), most_tokens=8192),
        composer_pattern("too long", [LANE_A], too_long=True, context_used=140000),
        composer_pattern("no key", [LANE_A], keys=[], key_notice="No key", errors=[missing_key]),
        Pattern("Parameter drawer", f"{CONVERSATIONS}/_drawer.html", sample_drawer()),
        Pattern("Model picker", "chat/catalogue/_picker.html", {"picker": sample_picker()}),
        Pattern("Other servers are not heard", f"{CONVERSATIONS}/_relay.html", {"relay_is_away": True}),
        Pattern("Search", "chat/_chat_hits.html", {"chat_query": "entropy", "chat_hits": sample_hits()}),
        Pattern("Search without a hit", "chat/_chat_hits.html", {"chat_query": "enthalpy", "chat_hits": []}),
        *people_patterns(),
        *usage_patterns(),
        Pattern("Undo", "_toast.html", {"toast": Sample(text="Chat deleted.", undo_url="/", seconds=86400)}),
    ]


@require_safe
@staff_member_required
def page(request: HttpRequest) -> HttpResponse:
    """``/patterns/``, for those who change the pages."""
    return render_page(request, "patterns.html", {"patterns": patterns()})
