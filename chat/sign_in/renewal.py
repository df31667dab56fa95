"""The background task that renews the tokens of those who signed in with Hugging Face. Started by ``chat.serving``."""

import asyncio
import logging

from django.conf import settings
from django.db import close_old_connections

from chat.database import AWAY
from chat.sign_in.hub_tokens import renew_due

LOOK_SECONDS = 60.0
logger = logging.getLogger(__name__)


async def run_forever() -> None:
    """Look every minute. On a thread of its own, because it waits for the network between its queries."""
    while settings.HF_OAUTH_CLIENT_ID:
        try:
            await asyncio.to_thread(_renew)
        except AWAY as error:
            logger.warning("Sign-in tokens could not be looked at; they are again in a minute: %s", error)
        await asyncio.sleep(LOOK_SECONDS)


def _renew() -> None:
    close_old_connections()
    try:
        renew_due()
    finally:
        close_old_connections()
