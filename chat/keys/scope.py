"""What a grant lets one ask: models and providers by pattern, and policies of the router held inside them.

Patterns are those of shells: ``*`` any letters, ``?`` one. Capitals make no difference, as on the Hub.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from chat.catalogue.models import POLICIES, Endpoint, ModelChoice, Offer
from chat.keys.errors import NotGranted
from chat.keys.models import ANYTHING, KeyGrant


@dataclass(frozen=True)
class Route:
    """What is asked in the end: where the router may not choose freely, the provider is named. ``dearest`` is the
    offer that can cost most among those the answer may come from."""

    choice: ModelChoice
    offer: Offer | None
    dearest: Offer | None


def patterns(text: str) -> tuple[str, ...]:
    """The patterns in a text, one a line or set off by commas."""
    words = (word.strip() for line in text.splitlines() for word in line.split(","))
    return tuple(dict.fromkeys(word for word in words if word))


def fits(name: str, text: str) -> bool:
    """Whether a name is one of those that ``text`` allows; no pattern allows nothing."""
    lowered = name.casefold()
    return any(fnmatchcase(lowered, pattern.casefold()) for pattern in patterns(text))


def allows_all(text: str) -> bool:
    return ANYTHING in patterns(text)


def free_route(choice: ModelChoice, offers: Iterable[Offer]) -> Route:
    """The way of a key that may be used for anything."""
    offers = list(offers)
    return Route(choice, choice.best_offer(offers), _dearest(choice, offers))


def route(grant: KeyGrant, endpoint: Endpoint, choice: ModelChoice, offers: Iterable[Offer]) -> Route:
    """The way of ``choice`` under a grant. ``offers`` are those of its model. Raises ``NotGranted``."""
    offers = list(offers)
    # A provider in the name itself would pass by the patterns of both.
    smuggled = endpoint.is_router and ":" in choice.model_id
    if not fits(choice.model_id, grant.model_patterns) or (smuggled and not _allows_everything(grant)):
        raise NotGranted(f"{grant.shared_key.display} may not be used for {choice.label}. {_INSTEAD}")
    if not endpoint.is_router or allows_all(grant.provider_patterns):
        return free_route(choice, offers)
    if choice.provider and choice.provider not in POLICIES:
        if not fits(choice.provider, grant.provider_patterns):
            raise NotGranted(
                f"{grant.shared_key.display} may not be used for {choice.label} with {choice.provider}. {_INSTEAD}"
            )
        return free_route(choice, offers)
    allowed = [offer for offer in offers if fits(offer.provider, grant.provider_patterns)]
    offer = choice.best_offer(allowed)
    if offer is None:
        providers = ", ".join(patterns(grant.provider_patterns))
        raise NotGranted(
            f"{grant.shared_key.display} may only be used with {providers}, and none of them lists {choice.label}. "
            f"{_INSTEAD}"
        )
    return Route(replace(choice, provider=offer.provider), offer, offer)


_INSTEAD = "Choose another model or provider, use a key of your own, or ask for it on the page of your keys."


def _allows_everything(grant: KeyGrant) -> bool:
    return allows_all(grant.model_patterns) and allows_all(grant.provider_patterns)


def _dearest(choice: ModelChoice, offers: list[Offer]) -> Offer | None:
    """The dearest that the router may take for a policy; the one that is named, where one is."""
    mine = [o for o in offers if o.endpoint_id == choice.endpoint_id and o.language_model.hub_id == choice.model_id]
    if choice.provider == "cheapest" or (choice.provider and choice.provider not in POLICIES):
        return choice.best_offer(mine)
    live = [offer for offer in mine if offer.status == Offer.Status.LIVE] or mine
    # One without a price is reckoned with at the assumed one, which nobody can compare.
    return next(
        (offer for offer in live if not offer.is_free and None in (offer.input_price, offer.output_price)),
        max(live, key=lambda offer: offer.cost(1_000, 4_000) or 0, default=None),
    )
