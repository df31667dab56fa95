"""Sends what administrators are told, by mail and to the webhook, and tries again where that fails.

Whoever takes a delivery on puts it off by a guarded update first, so that several processes do not send it twice; one
that dies meanwhile leaves it to the next try. A receiver may hear the same notice twice, never none.
"""

import asyncio
import hashlib
import hmac
import json
import logging
import smtplib
import time
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone

from chat.accounts.models import User
from chat.notices.models import Delivery, Notice
from chat.providers.client import close_client, post_document
from chat.providers.errors import ProviderError
from chat.providers.reach import Reach

# Half a minute, one, two, … but never more than an hour apart; the last about seven hours after the first.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
MOST_TRIES = 14
AT_ONCE = 20
UNREACHED = (OSError, smtplib.SMTPException, ProviderError)
logger = logging.getLogger(__name__)


def send_due() -> int:
    """Send what is due and return how many arrived. Waits for the network."""
    due = Delivery.objects.filter(finished_at=None, due_at__lte=timezone.now()).select_related("notice")
    return sum(_send(delivery) for delivery in due.order_by("due_at", "pk")[:AT_ONCE])


def pause_after(tries: int) -> timedelta:
    """How long to wait when so many tries have failed."""
    doublings: int = min(tries - 1, 20)
    return min(FIRST_PAUSE * 2.0**doublings, LONGEST_PAUSE)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """What the receiver computes anew, to know who wrote this and when."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _send(delivery: Delivery) -> bool:
    tries = delivery.tries + 1
    mine = Delivery.objects.filter(pk=delivery.pk, finished_at=None, tries=delivery.tries)
    if mine.update(tries=tries, due_at=timezone.now() + pause_after(tries)) != 1:
        return False
    done = Delivery.objects.filter(pk=delivery.pk)
    try:
        if delivery.channel == Delivery.Channel.MAIL:
            _mail(delivery.notice)
        else:
            asyncio.run(_post(delivery))
    except UNREACHED as error:
        # Not what the other side said: it may quote what it was sent, or how it was asked.
        trouble = error.sentence if isinstance(error, ProviderError) else type(error).__name__
        given_up = timezone.now() if tries >= MOST_TRIES else None
        done.update(trouble=trouble[:200], finished_at=given_up)
        logger.warning("A notice could not be sent by %s (try %d): %s", delivery.channel, tries, trouble)
        return False
    done.update(trouble="", finished_at=timezone.now())
    return True


def _mail(notice: Notice) -> None:
    """One message to each administrator who has an address; none sees the others'."""
    text = f"{notice.sentence}\n\n{_address(notice)}\n"
    # A sentence may quote what people called things, on several lines.
    subject = " ".join(f"Playground: {notice.sentence}".split())[:150]
    people = User.objects.filter(is_active=True, is_superuser=True).exclude(email="").values_list("email", flat=True)
    messages = [EmailMessage(subject, text, to=[address]) for address in people]
    get_connection().send_messages(messages)


async def _post(delivery: Delivery) -> None:
    """To the address that the environment names, which is trusted to be where it is."""
    notice, timestamp = delivery.notice, str(int(time.time()))
    told = {
        "id": notice.pk,
        "kind": notice.kind,
        "subject": notice.subject,
        "sentence": notice.sentence,
        "url": _address(notice),
        "at": notice.created_at.isoformat(),
    }
    body = json.dumps(told, ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "X-Playground-Delivery": str(delivery.pk),
        "X-Playground-Timestamp": timestamp,
        "X-Playground-Signature": signature(settings.WEBHOOK_SECRET, timestamp, body),
    }
    try:
        await post_document(settings.WEBHOOK_URL, body, headers, reach=Reach.PRIVATE)
    finally:
        # The event loop was made for this one request.
        await close_client()


def _address(notice: Notice) -> str:
    return f"{settings.PUBLIC_URL}{notice.address or '/'}"
