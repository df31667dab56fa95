"""Reads a list of models, as an endpoint answers it, into checked facts; pure, no database and no network.

The answer is somebody else's data: any field may be missing, of the wrong type, absurd or meant to do harm. What
cannot be used is dropped, a model at a time; nothing here raises. ``sync`` is the only caller.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from chat.catalogue.models import POLICIES, Offer

MAX_MODELS = 5_000
MAX_OFFERS = 10_000
MAX_OFFERS_OF_A_MODEL = 50
MAX_MODEL_ID = 200
# What the columns hold on every database: a larger figure is a mistake, or an attempt to stop the sync.
MAX_CONTEXT = 2_000_000_000
MAX_PRICE = 100_000
MAX_RATE = 10_000_000

_PROVIDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
# Names for the window of a model where there are no providers: vLLM says the first, others the second.
_CONTEXT_KEYS = ("max_model_len", "context_length")


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """One model through one provider. Prices are US dollars per million tokens; None is "not said"."""

    model_id: str
    provider: str = ""
    status: str = Offer.Status.LIVE.value
    context_length: int | None = None
    input_price: Decimal | None = None
    output_price: Decimal | None = None
    is_free: bool = False
    supports_tools: bool | None = None
    supports_structured_output: bool | None = None
    first_token_ms: float | None = None
    tokens_per_second: float | None = None
    reads_images: bool = False
    released_at: datetime | None = None


def parse_models(answer: object) -> list[OfferFacts]:
    """Return the offers of an answer to ``GET /models``.

    Two shapes are read: the Inference Providers list, where each model names its ``providers``, and the plain
    OpenAI list ("List models", OpenAI API reference), which also TGI and vLLM speak: one offer a model,
    with an empty provider. An answer of any other shape holds no offers.
    """
    entries = answer.get("data") if isinstance(answer, Mapping) else answer
    if not isinstance(entries, list):
        return []
    offers: dict[tuple[str, str], OfferFacts] = {}
    for entry in entries[:MAX_MODELS]:
        for offer in _offers(entry):
            offers.setdefault((offer.model_id, offer.provider), offer)
    return list(offers.values())[:MAX_OFFERS]


def is_model_id(value: object) -> bool:
    """Tell whether this can name a model: printable, without spaces, not absurdly long.

    Printable leaves out what cannot be stored (lone surrogates) and what would make one name look like another
    (marks without width or that turn the direction of writing).
    """
    return isinstance(value, str) and 0 < len(value) <= MAX_MODEL_ID and value.isprintable() and " " not in value


def is_provider(value: object) -> bool:
    """Tell whether this can name a provider; the router's policy words cannot."""
    return isinstance(value, str) and _PROVIDER.fullmatch(value) is not None and value not in POLICIES


def _offers(entry: object) -> Iterator[OfferFacts]:
    if not isinstance(entry, Mapping) or not is_model_id(entry.get("id")) or not _writes_text(entry):
        return
    providers = entry.get("providers")
    if not isinstance(providers, list):
        yield _offer(entry, "", entry)
        return
    for offered in providers[:MAX_OFFERS_OF_A_MODEL]:
        if isinstance(offered, Mapping) and is_provider(offered.get("provider")):
            yield _offer(entry, offered["provider"], offered)


def _offer(entry: Mapping[str, Any], provider: str, offered: Mapping[str, Any]) -> OfferFacts:
    pricing = offered.get("pricing")
    prices = pricing if isinstance(pricing, Mapping) and provider else {}
    return OfferFacts(
        model_id=entry["id"],
        provider=provider,
        status=_status(offered.get("status")),
        context_length=_context(offered),
        input_price=_price(prices.get("input")),
        output_price=_price(prices.get("output")),
        is_free=offered.get("is_free") is True,
        supports_tools=_flag(offered.get("supports_tools")),
        supports_structured_output=_flag(offered.get("supports_structured_output")),
        first_token_ms=_rate(offered.get("first_token_latency_ms")),
        tokens_per_second=_rate(offered.get("throughput")),
        reads_images="image" in _modalities(entry, "input_modalities"),
        released_at=_moment(entry.get("created")),
    )


def _writes_text(entry: Mapping[str, Any]) -> bool:
    written = _modalities(entry, "output_modalities")
    return not written or "text" in written


def _modalities(entry: Mapping[str, Any], name: str) -> list[Any]:
    architecture = entry.get("architecture")
    listed = architecture.get(name) if isinstance(architecture, Mapping) else None
    return listed if isinstance(listed, list) else []


def _status(value: object) -> str:
    """An unknown word is taken for working: refusing to list a model over a new word would hide it."""
    return value if isinstance(value, str) and value in Offer.Status.values else Offer.Status.LIVE.value


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _context(offered: Mapping[str, Any]) -> int | None:
    for key in _CONTEXT_KEYS:
        value = _number(offered.get(key), MAX_CONTEXT)
        if value is not None and value >= 1:
            return int(value)
    return None


def _price(value: object) -> Decimal | None:
    number = _number(value, MAX_PRICE)
    return None if number is None else Decimal(repr(number)).quantize(Decimal("0.000001"))


def _rate(value: object) -> float | None:
    return _number(value, MAX_RATE) or None


def _number(value: object, maximum: float) -> float | None:
    """A JSON number from 0 to ``maximum``; booleans, NaN and numbers in quotes are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= maximum and math.isfinite(value) else None


def _moment(value: object) -> datetime | None:
    """A Unix time in seconds; 0 is how servers say that they do not know."""
    number = _number(value, 10_000_000_000)
    return datetime.fromtimestamp(number, UTC) if number else None
