"""Silence is borne for a while."""

import asyncio

import pytest

from chat.providers.errors import TooSlow
from chat.providers.patience import Patience
from chat.providers.requests import Timeouts


async def never() -> None:
    await asyncio.Event().wait()


async def test_silence_before_the_first_token_ends_by_itself() -> None:
    patience = Patience(Timeouts(first_token=0.02, between_tokens=10))

    with pytest.raises(TooSlow) as caught:
        await patience.wait(never())

    assert caught.value.kind == "first_token_timeout"


async def test_keep_alive_before_the_first_token_does_not_help() -> None:
    patience = Patience(Timeouts(first_token=0.05, between_tokens=10))

    async def keep_alive() -> None:
        while True:
            await asyncio.sleep(0.01)
            patience.heard(token=False)

    with pytest.raises(TooSlow):
        await patience.wait(keep_alive())


async def test_silence_between_tokens_ends_although_the_first_limit_is_far_away() -> None:
    patience = Patience(Timeouts(first_token=60, between_tokens=0.02))
    patience.heard(token=True)

    with pytest.raises(TooSlow) as caught:
        async with asyncio.timeout(5):
            await patience.wait(never())

    assert caught.value.kind == "between_tokens_timeout"
    patience.close()


async def test_tokens_prolong_patience() -> None:
    patience = Patience(Timeouts(first_token=0.06, between_tokens=0.06))

    for _ in range(6):
        await patience.wait(asyncio.sleep(0.02))
        patience.heard(token=True)

    patience.close()


async def test_keep_alive_between_tokens_helps_up_to_the_longer_limit() -> None:
    patience = Patience(Timeouts(first_token=0.5, between_tokens=0.3))
    patience.heard(token=True)
    heard = 0

    with pytest.raises(TooSlow):
        while heard < 1000:
            await patience.wait(asyncio.sleep(0.01))
            patience.heard(token=False)
            heard += 1

    # Each took at least 0.01 of the 0.5 seconds.
    assert 1 <= heard <= 50


async def test_cancellation_from_elsewhere_stays_a_cancellation() -> None:
    patience = Patience(Timeouts(first_token=10))
    task = asyncio.create_task(patience.wait(never()))
    await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    patience.close()


async def test_task_goes_on_normally_after_patience_ran_out() -> None:
    patience = Patience(Timeouts(first_token=0.01))
    with pytest.raises(TooSlow):
        await patience.wait(never())

    await asyncio.sleep(0.01)

    task = asyncio.current_task()
    assert task is not None and task.cancelling() == 0


async def test_busy_reader_is_not_interrupted_but_its_next_silence_is() -> None:
    mishaps: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: mishaps.append(context))
    patience = Patience(Timeouts(first_token=0.01, between_tokens=0.01))

    await asyncio.sleep(0.05)

    assert await patience.wait(asyncio.sleep(0, "data")) == "data"
    with pytest.raises(TooSlow):
        async with asyncio.timeout(5):
            await patience.wait(never())
    assert mishaps == []
