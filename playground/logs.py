"""How a line of the log reads: without anything that opens a door.

Secrets are kept out of what is logged; this is for what others log, such as the path of a request that failed or the
text of somebody's exception. Named by ``LOGGING``.
"""

import logging
import re

from django.conf import settings

from chat.providers.credential import MASK, mask_tokens

# The secret of a one-time link stands in its path.
_LINK = re.compile(r"(/(?:in|join)/)[\w-]+")


class MaskingFormatter(logging.Formatter):
    """Formats as usual, tracebacks included, then hides what must not be read."""

    def format(self, record: logging.LogRecord) -> str:
        return masked(super().format(record))


def masked(text: str) -> str:
    """``text`` without this server's secrets, anything that looks like a Hugging Face token, and one-time links."""
    for secret in (settings.HF_TOKEN, settings.METRICS_TOKEN, settings.SECRET_KEY, *settings.ENCRYPTION_KEYS):
        if secret:
            text = text.replace(secret, MASK)
    return _LINK.sub(rf"\1{MASK}", mask_tokens(text))
