"""Filters that write figures the way a person reads them: short, and the same everywhere.

Each takes None for "not known" and gives an empty string, so that a template can test the result.
"""

from decimal import Decimal
from math import sqrt

from django import template

register = template.Library()

# The full width of a speed bar, in tokens per second. Faster answers fill it.
FULL_SPEED = 400


@register.filter
def seconds(value: float | None) -> str:
    """Seconds: ``0.31 s``, ``12.4 s``, ``2 min 5 s``."""
    if value is None:
        return ""
    if value < 10:
        return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"
    if value < 59.95:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest} s"


@register.filter
def speed(value: float | None) -> str:
    """Tokens per second without the unit: ``142``, ``6.3``."""
    if value is None:
        return ""
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


@register.filter
def speed_share(value: float | None) -> int:
    """How much of a bar that speed fills, 0 to 100; the root keeps slow answers apart from each other."""
    return min(100, round(100 * sqrt(max(0.0, value or 0.0) / FULL_SPEED)))


@register.filter
def dollars(value: Decimal | float | None) -> str:
    """US dollars with two digits that matter: ``$0.0002``, ``$0.011``, ``$1.40``, ``$0``."""
    if value is None:
        return ""
    amount = Decimal(value)
    if amount == 0:
        return "$0"
    if amount >= Decimal("0.1"):
        return f"${amount:,.2f}"
    if amount < Decimal("0.0001"):
        return "< $0.0001"
    leading_zeros = -amount.adjusted() - 1
    digits = max(3, leading_zeros + 2)
    return f"${amount:.{digits}f}".rstrip("0")


@register.filter
def grouped(value: int) -> str:
    """A whole count, all its digits: ``842``, ``12,345``."""
    return f"{value:,}"


@register.filter
def compact(value: int | None) -> str:
    """A count of tokens: ``842``, ``3.1k``, ``128k``, ``1M``."""
    if value is None:
        return ""
    if value < 1000:
        return str(value)
    if value < 999_500:
        return _short(value / 1000, "k")
    return _short(value / 1_000_000, "M")


@register.filter
def context_size(value: int | None) -> str:
    """A context length as its makers say it, 131072 and 128000 both as ``128k``; others like ``compact``."""
    if value and value % 1024 == 0 and value % 1000 != 0:
        thousands = value // 1024
        return f"{thousands // 1024}M" if thousands % 1024 == 0 else f"{thousands}k"
    return compact(value)


def _short(value: float, unit: str) -> str:
    text = f"{value:.1f}" if value < 99.95 else f"{value:.0f}"
    return text.removesuffix(".0") + unit
