"""What runs reserve of limits and what their ends settle: turns requests and figures into amounts for ``keys.quota``.

Called in the transaction that queues or ends a run. A run under no limit reserves nothing and costs nothing here.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, ModelChoice, Offer
from chat.keys import quota
from chat.keys.choose import KeyChoice
from chat.keys.errors import NotGranted
from chat.keys.limits import Reservation
from chat.keys.models import KeyGrant
from chat.keys.quota import Amounts, Ask, Option
from chat.keys.scope import Route, free_route, route
from chat.prepared import Prepared
from chat.providers.counting import WorstCase, worst_case
from chat.runs.models import Run
from chat.usage.models import UsageRecord

MILLION = Decimal(1_000_000)
logger = logging.getLogger(__name__)
_FORGOTTEN = Prepared(
    lambda: Reservation.objects.exclude(run_id__in=Run.objects.unsettled().values("pk")).values_list(
        "run_id", flat=True
    )
)


@dataclass(frozen=True)
class Way:
    """A way to pay for an answer: a key, the grant that allows it (None: one's own), and what is asked then."""

    key: KeyChoice
    grant: KeyGrant | None
    route: Route
    by_hour: bool = False

    @property
    def limited(self) -> bool:
        return self.key.capped or (self.grant is not None and self.grant.pk in self.key.limited)

    @property
    def fields(self) -> dict[str, Any]:
        """What of a run depends on who pays for it."""
        return {
            "provider": self.route.choice.provider,
            "key_ref": self.key.ref,
            "key_label": self.key.display,
            "billed_by_hour": self.by_hour or None,
            **_prices(None if self.by_hour else self.route.offer),
        }

    def option(self, worst: WorstCase) -> Option:
        money = Decimal(0) if self.by_hour else _price(self.route.dearest, worst)
        return Option(self.key.display, self.grant, Amounts(worst.tokens, money), self.limited)


def ways_to_pay(
    keys: Iterable[KeyChoice], endpoint: Endpoint, choice: ModelChoice, offers: Iterable[Offer]
) -> list[Way]:
    """Every way that these keys open to a model, in their order. Raises ``NotGranted`` where none of some does."""
    offers, ways, refusals = list(offers), list[Way](), list[NotGranted]()
    for key in keys:
        if not key.grants:
            ways.append(Way(key, None, free_route(choice, offers), endpoint.billed_by_hour))
        for grant in key.grants:
            try:
                ways.append(Way(key, grant, route(grant, endpoint, choice, offers), endpoint.billed_by_hour))
            except NotGranted as refusal:
                refusals.append(refusal)
    if refusals and not ways:
        raise refusals[0]
    return ways


def reserve(person: User, wanted: Sequence[tuple[Run, Sequence[Way]]]) -> list[Way]:
    """Reserve for all of these runs or for none, and return for each the first of its ways that had room.

    The runs are marked where something was reserved. Raises ``QuotaReached``.
    """
    if all(not ways[0].limited for _, ways in wanted):
        return [ways[0] for _, ways in wanted]
    options = {run.pk: {way.option(_worst_of(run)): way for way in ways} for run, ways in wanted}
    chosen = quota.admit(person, [Ask(run_id, tuple(of_run)) for run_id, of_run in options.items()])
    taken = [options[run.pk][chosen[run.pk]] for run, _ in wanted]
    holding = [run for (run, _), way in zip(wanted, taken, strict=True) if way.limited]
    Run.objects.filter(pk__in=[run.pk for run in holding]).update(holds_reservation=True)
    for run in holding:
        run.holds_reservation = True
    return taken


def move(run: Run, ways: Sequence[Way]) -> Way:
    """Reserve for another key in the place of the one that failed before the first token, and return the way taken.

    The caller notes on the run who pays now. Raises ``QuotaReached``, changing nothing.
    """
    if not run.holds_reservation and not any(way.limited for way in ways):
        return ways[0]
    options = {way.option(_worst_of(run)): way for way in ways}
    with transaction.atomic():
        # Once it has ended it has been settled, and nothing would settle this again.
        going_on = Run.objects.active().select_for_update(of=("self",), no_key=True).filter(pk=run.pk)
        if not going_on.values_list("pk"):
            return ways[0]
        way = options[quota.move(run.owner, run.pk, tuple(options))]
        run.holds_reservation = way.limited
        going_on.update(holds_reservation=way.limited)
    return way


def settle(run: Run) -> None:
    """Count what a run took, once it has ended: what was reported, else an estimate, else nothing was asked."""
    if run.holds_reservation:
        quota.settle(run.pk, amounts_of(run))


def settle_forgotten() -> int:
    """Settle what is reserved for runs that have ended or are gone; returns how many there were.

    Every end settles its own. This is for what no end saw: rows that were deleted, or changed by hand.
    """
    forgotten = set(_FORGOTTEN.rows())
    runs = Run.objects.in_bulk(forgotten) if forgotten else {}
    for run_id in sorted(forgotten):
        run = runs.get(run_id)
        quota.settle(run_id, amounts_of(run) if run is not None else _recorded(run_id))
        logger.warning("Run %d had something reserved after its end.", run_id)
    return len(forgotten)


def amounts_of(run: Run) -> Amounts:
    """What a run that has ended counts for."""
    if run.started_at is None:
        return Amounts(0, Decimal(0), requests=0)
    # Its end has put an estimate where the provider said nothing, and nothing where nothing was asked.
    prompt, answer = run.prompt_tokens or 0, run.completion_tokens or 0
    if run.billed_by_hour:
        return Amounts(prompt + answer, Decimal(0))
    money = _money(run.input_price, run.output_price, prompt, answer) if run.cost is None else run.cost
    return Amounts(prompt + answer, money)


def _worst_of(run: Run) -> WorstCase:
    """The most that a run may take; where it waits for answers above, their texts will be read, too."""
    worst = _worst_of_body(run.wire_request.body)
    above, waiting = run.after, 0
    while above is not None:
        waiting += _worst_of_body(above.wire_request.body).answer
        above = above.after
    return WorstCase(worst.prompt + waiting, worst.answer)


def _worst_of_body(body: Mapping[str, Any]) -> WorstCase:
    return worst_case(body, settings.ASSUMED_ANSWER_TOKENS)


def _prices(offer: Offer | None) -> dict[str, Decimal | None]:
    if offer is None:
        return {"input_price": None, "output_price": None}
    if offer.is_free:
        return {"input_price": Decimal(0), "output_price": Decimal(0)}
    return {"input_price": offer.input_price, "output_price": offer.output_price}


def _price(offer: Offer | None, worst: WorstCase) -> Decimal:
    if offer is not None and offer.is_free:
        return Decimal(0)
    prices = (offer.input_price, offer.output_price) if offer is not None else (None, None)
    return _money(*prices, worst.prompt, worst.answer)


def _money(input_price: Decimal | None, output_price: Decimal | None, prompt: int, answer: int) -> Decimal:
    """US dollars at these prices, and at the assumed one where none is known."""
    assumed = Decimal(settings.ASSUMED_PRICE)
    each = (assumed if price is None else price for price in (input_price, output_price))
    return sum((price * count for price, count in zip(each, (prompt, answer), strict=True)), Decimal(0)) / MILLION


def _recorded(run_id: int) -> Amounts:
    """What the ledger says of a run whose row is gone."""
    record = UsageRecord.objects.filter(run_id=run_id).first()
    if record is None:
        return Amounts(0, Decimal(0), requests=0)
    return Amounts((record.prompt_tokens or 0) + (record.completion_tokens or 0), record.cost or Decimal(0))
