"""Which key serves a run: the one it was queued with, else the next shared one whose turn it is.

Asked by the worker before it sends, and again when a provider refused the key before anything of an answer came. The
run says which key serves it, and its request whom that bills.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from chat.catalogue.models import Endpoint, ModelChoice, offers_of
from chat.keys import health
from chat.keys.choose import is_shared, next_shared_key
from chat.keys.errors import KeysError
from chat.keys.vault import kind_and_pk, open_credential
from chat.providers.credential import Credential
from chat.providers.errors import ProviderError
from chat.providers.payload import billed_to
from chat.providers.requests import WireRequest
from chat.runs import reservations
from chat.runs.models import Run
from chat.runs.reservations import Way, ways_to_pay
from chat.usage import storage


@dataclass(frozen=True)
class Serving:
    """A key opened for a run, and what is sent with it. ``stands_in`` is set where the run was queued with another."""

    ref: str
    credential: Credential | None
    wire: WireRequest
    opened_at: datetime
    tried: frozenset[str]
    stands_in: Way | None = None


def first_key(run: Run, endpoint: Endpoint) -> Serving:
    """Open the run's key, or one that stands in for a shared one that was switched off since. Raises KeysError."""
    opened_at = timezone.now()
    try:
        credential = open_credential(run.key_ref, run.owner, endpoint)
    except KeysError:
        other = _next(run, endpoint, run.wire_request, frozenset({run.key_ref})) if is_shared(run.key_ref) else None
        if other is None:
            raise
        return other
    return Serving(run.key_ref, credential, run.wire_request, opened_at, frozenset({run.key_ref}))


def after_refusal(run: Run, endpoint: Endpoint, refused: Serving, error: ProviderError) -> Serving | None:
    """Remember what ``error`` says about the key; return the next one to try, or None where there is none."""
    known = kind_and_pk(refused.ref)
    if known is None or not health.about_the_key(error):
        return None
    health.note_refusal(*known, error, refused.opened_at)
    if not is_shared(refused.ref):
        return None
    return _next(run, endpoint, refused.wire, refused.tried)


def enter(run_id: int, owner_id: int, serving: Serving, process_id: int) -> bool:
    """Write down which key serves the run; False where the run is no longer this process's to write."""
    way = serving.stands_in
    if way is None:
        return True
    fields = {**way.fields, "request": serving.wire.to_json()}
    mine = Run.objects.filter(pk=run_id, process=process_id, status=Run.Status.STREAMING)
    with transaction.atomic():
        before = mine.values_list("request", flat=True).first()
        if before is None or not mine.update(**fields):
            return False
        storage.add(owner_id, len(fields["request"].encode()) - len(before.encode()))
    return True


def _next(run: Run, endpoint: Endpoint, wire: WireRequest, tried: frozenset[str]) -> Serving | None:
    """The next shared key that opens, may be used for the model and has room for the answer."""
    asked = ModelChoice(endpoint.pk, run.model_id, run.provider)
    while choice := next_shared_key(run.owner, endpoint, tried):
        tried |= {choice.ref}
        opened_at = timezone.now()
        try:
            ways = ways_to_pay([choice], endpoint, asked, offers_of([asked]))
            credential = open_credential(choice.ref, run.owner, endpoint)
            way = reservations.move(run, ways)
        except KeysError:
            continue
        body = {**wire.body, "model": way.route.choice.wire_id}
        sent = replace(wire, headers=billed_to(wire.headers, choice.bill_to), body=body)
        return Serving(choice.ref, credential, sent, opened_at, tried, way)
    return None
