"""The verbs of notices: tell administrators something once, settle it, put it away.

``tell`` and ``settle`` belong to the transaction they are called in: what did not happen is told to nobody, and what
did is sent even where the process ends before it is.
"""

from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.text import Truncator

from chat.accounts.models import User
from chat.notices.models import SENTENCE_LIMIT, Delivery, Notice

Kind = Notice.Kind


def tell(kind: Kind, subject: str, sentence: str, *, address: str = "", until: datetime | None = None) -> bool:
    """Tell administrators ``sentence``, unless they were told of this ``subject`` and it is not settled; say which.

    ``subject`` names what it is about and, where it may come again, when: ``shared:12``, ``limit:7:2026-11-21``.
    ``address`` is the path on this site where one can act on it. From ``until`` on it is not shown any more.
    """
    told = {"sentence": Truncator(sentence).chars(SENTENCE_LIMIT), "address": address, "until": until}
    notice, is_new = Notice.objects.get_or_create(kind=kind, subject=subject, settled_at=None, defaults=told)
    if is_new:
        Delivery.objects.bulk_create([Delivery(notice=notice, channel=channel) for channel in _channels()])
    return is_new


def settle(kind: Kind, subject: str) -> bool:
    """Take the notice about ``subject`` away from everybody; say whether there was one. The next one is told anew."""
    waiting = Notice.objects.filter(kind=kind, subject=subject, settled_at=None)
    return waiting.update(settled_at=timezone.now()) == 1


def dismiss(notice: Notice, user: User) -> None:
    """Do not show it to this person any more; the others still see it."""
    notice.dismissed_by.add(user)


def _channels() -> list[Delivery.Channel]:
    """Where else than on pages administrators are told. Sending waits for the network, and is ``sending``'s."""
    wanted = {Delivery.Channel.MAIL: settings.EMAIL_HOST, Delivery.Channel.WEBHOOK: settings.WEBHOOK_URL}
    return [channel for channel, address in wanted.items() if address]
