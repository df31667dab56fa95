"""The background task that sends what administrators are told. Started by ``chat.serving``."""

import asyncio
import logging

from django.conf import settings
from django.db import close_old_connections

from chat.database import AWAY
from chat.notices.sending import send_due

LOOK_SECONDS = 10.0
logger = logging.getLogger(__name__)


async def run_forever() -> None:
    """Look every few seconds, on a thread of its own: between its queries it waits for the network."""
    while settings.EMAIL_HOST or settings.WEBHOOK_URL:
        try:
            await asyncio.to_thread(_send)
        except AWAY as error:
            logger.warning("Notices could not be looked at; they are again in a moment: %s", error)
        except Exception:
            # Without this task nobody would be told.
            logger.exception("Notices could not be sent; they are tried again in a moment.")
        await asyncio.sleep(LOOK_SECONDS)


def _send() -> None:
    close_old_connections()
    try:
        send_due()
    finally:
        close_old_connections()
