"""Writes what an answer cost, once, when its run has been stored; the engine calls it in the same transaction."""

from decimal import Decimal

from chat.prepared import PreparedInsert
from chat.usage.models import UsageRecord

_ADD = PreparedInsert(UsageRecord, unless_there=True)


def record_usage(
    *,
    user_id: int,
    run_id: int,
    model_id: str,
    provider: str,
    key_label: str,
    prompt_tokens: int | None,
    completion_tokens: int | None,
    cost: Decimal | None,
    failed: bool,
) -> None:
    """Keep the figures of one run; a second call for the same run changes nothing. ``cost`` is in US dollars."""
    record = UsageRecord(
        user_id=user_id,
        run_id=run_id,
        model_id=model_id,
        provider=provider,
        key_label=key_label,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        cost=cost,
        failed=failed,
    )
    _ADD(record)
