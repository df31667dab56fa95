"""Tells administrators when most of what all under a grant have together is used, once in each window of it."""

from decimal import Decimal

from django.urls import reverse

from chat.keys.limits import Measure, Tally
from chat.keys.sentences import period, quantity, resets
from chat.keys.windows import window
from chat.notices import actions as notices

NEARLY = Decimal("0.8")


def tell_of_budget(tally: Tally, used_before: Decimal) -> None:
    """Tell, where ``tally`` has just passed four fifths of its limit. A person's own share is their own affair, and a
    minute is over before anybody has read of it."""
    limit = tally.limit
    most = limit.at_most * NEARLY
    if limit.grant is None or limit.each_person or limit.kind == Measure.REQUESTS_PER_MINUTE:
        return
    if not used_before < most <= tally.used:
        return
    grant, until = limit.grant, window(limit.kind, tally.window_start)[1]
    share = f"{int(100 * tally.used / limit.at_most)} % of {period(limit.kind)} {quantity(limit.kind, limit.at_most)}"
    notices.tell(
        notices.Kind.BUDGET,
        f"limit:{limit.pk}:{tally.window_start:%Y-%m-%d}",
        f"{share} on {grant.shared_key.display} for {grant.holder} are used. {resets(limit.kind, until)}",
        address=reverse("admin:chat_keygrant_change", args=[grant.pk]),
        until=until,
    )
