"""From offers to rows: one for each model at each endpoint, what its providers have in common said once.

It owns which models are found and in what order, in a fixed number of queries however long the list is. Who asks and
what they may use is not known here; ``listing`` adds that.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db.models import Count, F, Max, Min, OrderBy, Q

from chat.catalogue.choices import addressed
from chat.catalogue.models import POLICIES, Endpoint, ModelChoice, Offer, OfferQuerySet, short_name
from chat.picker.forms import LONG_CONTEXT, Search

ROWS_AT_ONCE = 60
NARROWED = {
    "tools": Q(supports_tools=True),
    "json": Q(supports_structured_output=True),
    "vision": Q(language_model__reads_images=True),
    "free": Q(is_free=True),
    "long": Q(context_length__gte=LONG_CONTEXT),
}
NAME = "language_model__hub_id"


@dataclass(frozen=True, slots=True)
class Row:
    """One model at one endpoint, or one choice of a person. Prices are US dollars per million tokens."""

    endpoint: Endpoint
    choice: ModelChoice
    context_length: int | None = None
    marks: tuple[str, ...] = ()
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    is_free: bool = False
    status: str = ""
    reason: str = ""
    tokens_per_second: float | None = None
    offers: int = 0
    needs_key: bool = False

    @property
    def value(self) -> str:
        """What is posted when it is picked."""
        return addressed(self.choice, self.endpoint)

    @property
    def text(self) -> str:
        """How a person would type it."""
        return self.choice.wire_id if self.endpoint.is_router else self.value

    @property
    def name(self) -> str:
        return short_name(self.choice.wire_id)

    @property
    def organisation(self) -> str:
        """Whose model it is; away from the router, where it runs."""
        return self.choice.model_id.rpartition("/")[0] if self.endpoint.is_router else self.endpoint.label

    @property
    def hub_url(self) -> str:
        """Its page on the Hub, or "" for what need not have one."""
        known = self.endpoint.is_router and "/" in self.choice.model_id
        return f"{settings.HF_HUB_URL}/{quote(self.choice.model_id)}" if known else ""


def found(search: Search, endpoints: dict[int, Endpoint], rows_at_once: int = ROWS_AT_ONCE) -> tuple[list[Row], bool]:
    """The page of rows at ``endpoints`` (by pk) that a search finds, and whether more follow."""
    offers = narrowed(Offer.objects.listed().filter(endpoint__in=endpoints), search)
    start = search.page * rows_at_once
    grouped = _grouped(offers).order_by(*_order(search))[start : start + rows_at_once + 1]
    rows = [_row(values, endpoints) for values in grouped]
    return rows[:rows_at_once], len(rows) > rows_at_once


def rows_of(choices: Iterable[ModelChoice], endpoints: dict[int, Endpoint], search: Search) -> list[Row]:
    """A row for each of these choices, in their order, with what its own offers say, narrowed like the rest."""
    wanted = [choice for choice in choices if choice.endpoint_id in endpoints and _named(choice, search.words)]
    offers = list(narrowed(Offer.objects.for_choices(wanted), search))
    rows = []
    for choice in wanted:
        endpoint, mine = endpoints[choice.endpoint_id or 0], [offer for offer in offers if _fits(choice, offer)]
        if mine:
            rows.append(_summed(endpoint, choice, mine))
        elif not search.narrowed:
            # Nothing lists it, which is no reason to hide what was used before.
            rows.append(Row(endpoint, choice))
    return rows


def narrowed(offers: OfferQuerySet, search: Search) -> OfferQuerySet:
    """The offers that fit text, filters and provider; all filters must fit the same offer."""
    for name in search.filters:
        offers = offers.filter(NARROWED[name])
    if search.provider:
        offers = offers.filter(provider=search.provider)
    return offers.matching(search.words)


def _grouped(offers: OfferQuerySet) -> Any:
    grouped = offers.values("endpoint_id", NAME, "language_model__reads_images", "language_model__released_at")
    # Without an order: what rows are ordered by, they would be grouped by too.
    return grouped.order_by().annotate(
        closeness=Min("closeness"),
        longest=Max("context_length"),
        cheapest_in=Min("input_price"),
        cheapest_out=Min("output_price"),
        fastest=Max("tokens_per_second"),
        free=Count("pk", filter=Q(is_free=True)),
        tools=Count("pk", filter=Q(supports_tools=True)),
        json=Count("pk", filter=Q(supports_structured_output=True)),
        live=Count("pk", filter=Q(status=Offer.Status.LIVE)),
        count=Count("pk"),
    )


def _order(search: Search) -> list[str | OrderBy]:
    """Always ends with the name, so that pages neither repeat nor skip a model. With text, Enter takes the first."""
    name: list[str | OrderBy] = [NAME, "endpoint_id"]
    newest = F("language_model__released_at").desc(nulls_last=True)
    orders: dict[str, list[str | OrderBy]] = {
        "new": [newest],
        "price": [F("cheapest_out").asc(nulls_last=True), F("cheapest_in").asc(nulls_last=True)],
        "speed": [F("fastest").desc(nulls_last=True)],
        "context": [F("longest").desc(nulls_last=True)],
        "name": [],
    }
    return [*orders.get(search.sort, ["closeness"] if search.words else [newest]), *name]


def _named(choice: ModelChoice, words: str) -> bool:
    return all(word in choice.wire_id.casefold() for word in words.casefold().split())


def _fits(choice: ModelChoice, offer: Offer) -> bool:
    """Whether the choice may end at this offer."""
    same = (choice.endpoint_id, choice.model_id) == (offer.endpoint_id, offer.language_model.hub_id)
    return same and choice.provider in ("", *POLICIES, offer.provider)


def _summed(endpoint: Endpoint, choice: ModelChoice, offers: list[Offer]) -> Row:
    """What ``_grouped`` asks of the database, for a handful of offers at hand."""
    return Row(
        endpoint=endpoint,
        choice=choice,
        context_length=max(offer.context_length or 0 for offer in offers) or None,
        marks=_marks(
            tools=any(offer.supports_tools for offer in offers),
            json=any(offer.supports_structured_output for offer in offers),
            vision=offers[0].language_model.reads_images,
        ),
        input_price=min((offer.input_price for offer in offers if offer.input_price is not None), default=None),
        output_price=min((offer.output_price for offer in offers if offer.output_price is not None), default=None),
        is_free=any(offer.is_free for offer in offers),
        status="live" if any(offer.status == Offer.Status.LIVE for offer in offers) else "failing",
        tokens_per_second=max(offer.tokens_per_second or 0.0 for offer in offers) or None,
        offers=len(offers) if endpoint.is_router else 0,
    )


def _marks(*, tools: bool, json: bool, vision: bool) -> tuple[str, ...]:
    return tuple(name for name, has in (("tools", tools), ("JSON", json), ("vision", vision)) if has)


def _row(values: dict[str, Any], endpoints: dict[int, Endpoint]) -> Row:
    endpoint = endpoints[values["endpoint_id"]]
    return Row(
        endpoint=endpoint,
        choice=ModelChoice(endpoint.pk, values[NAME]),
        context_length=values["longest"],
        marks=_marks(tools=values["tools"], json=values["json"], vision=values["language_model__reads_images"]),
        input_price=values["cheapest_in"],
        output_price=values["cheapest_out"],
        is_free=bool(values["free"]),
        status="live" if values["live"] else "failing",
        tokens_per_second=values["fastest"],
        offers=values["count"] if endpoint.is_router else 0,
    )
