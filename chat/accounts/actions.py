"""The verbs of accounts: issue and spend one-time links, let new people in, switch accounts off.

A link is spent by a guarded update that must change exactly one row, so that it works once, also for two requests
at the same moment. Called by views, Django admin and ``manage.py signin_link``.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Case, DateTimeField, F, Value, When
from django.utils import timezone

from chat.accounts.errors import AccountDisabled, LinkExpired, LinkFull, LinkRefused, LinkUnknown, LinkUsed
from chat.accounts.links import INVITATION_LIFETIME, SIGN_IN_LIFETIME, fresh_token, token_hash
from chat.accounts.models import Invitation, OneTimeLink, SignInLink, User
from chat.accounts.sockets import close_sockets
from chat.audit.record import Verb, record

AnyLink = TypeVar("AnyLink", bound=OneTimeLink)


def issue(link: OneTimeLink) -> str:
    """Save ``link`` under a fresh secret and return the secret, which is not kept and cannot be shown again."""
    token = fresh_token()
    link.token_hash = token_hash(token)
    link.save()
    return token


def create_signin_link(user: User, lifetime: timedelta = SIGN_IN_LIFETIME) -> tuple[SignInLink, str]:
    """Return a new link for ``user`` and its secret."""
    link = SignInLink(user=user, expires_at=timezone.now() + lifetime)
    token = issue(link)
    record(None, Verb.ADDED, link)
    return link, token


def create_invitation(
    created_by: User | None, label: str = "", lifetime: timedelta = INVITATION_LIFETIME, group: Group | None = None
) -> tuple[Invitation, str]:
    """Return a new invitation and its secret."""
    invitation = Invitation(created_by=created_by, label=label, expires_at=timezone.now() + lifetime, group=group)
    return invitation, issue(invitation)


@transaction.atomic
def invite_many(
    by: User, people: Iterable[str], lifetime: timedelta = INVITATION_LIFETIME, group: Group | None = None
) -> list[tuple[Invitation, str]]:
    """Make an invitation for each of ``people`` and return them with their secrets: all, or none."""
    invited = [create_invitation(by, label, lifetime, group) for label in people]
    for invitation, _ in invited:
        record(by, Verb.ADDED, invitation, {"group": str(group) if group else ""})
    return invited


def find_signin_link(token: str) -> SignInLink:
    """Return the link of ``token`` without spending it. Raises ``LinkRefused`` where it would let nobody in."""
    link = _find(SignInLink, token)
    if not link.user.is_active:
        raise AccountDisabled
    return link


def find_invitation(token: str) -> Invitation:
    """Return the invitation of ``token`` without spending it. Raises ``LinkRefused`` where it lets nobody in."""
    return _find(Invitation, token)


def spend_signin_link(token: str) -> User:
    """Spend the link and return whom it signs in. Raises ``LinkRefused``."""
    link = find_signin_link(token)
    _spend(link)
    return link.user


@transaction.atomic
def accept_invitation(token: str, make_account: Callable[[], User]) -> User:
    """Spend the invitation on the account that ``make_account`` saves: both happen, or neither.

    Raises ``LinkRefused``, and whatever ``make_account`` raises.
    """
    return _accept(find_invitation(token), make_account)


@transaction.atomic
def accept_invited(invitation_id: int, make_account: Callable[[], User]) -> User:
    """The same for who showed the invitation's secret earlier in this session."""
    invitation = Invitation.objects.filter(pk=invitation_id).first()
    if invitation is None:
        raise LinkUnknown
    return _accept(invitation, make_account)


def _accept(invitation: Invitation, make_account: Callable[[], User]) -> User:
    _spend(invitation)
    user = make_account()
    if invitation.group is not None:
        user.groups.add(invitation.group)
    Invitation.objects.filter(pk=invitation.pk).update(used_by=user)
    record(user, Verb.ADDED, user, {"invitation": str(invitation)})
    return user


@transaction.atomic
def disable_user(user: User, by: User | None = None) -> None:
    """Switch the account off; its sessions and sockets end (``signals`` does that for every save)."""
    user.is_active = False
    user.save(update_fields=["is_active"])
    record(by, Verb.DISABLED, user)


def end_sessions(user: User) -> None:
    """End every session of this person and, once that is committed, every socket of theirs in this process."""
    User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
    # Not before: a page that reconnects at once must find its session ended.
    transaction.on_commit(lambda: close_sockets(user.pk))


def _find(kind: type[AnyLink], token: str) -> AnyLink:
    link = kind._default_manager.filter(token_hash=token_hash(token)).first()
    if link is None:
        raise LinkUnknown
    if not link.usable():
        raise _refusal(link)
    return link


def _spend(link: OneTimeLink) -> None:
    now = timezone.now()
    unspent = type(link)._default_manager.filter(pk=link.pk, used_at=None, expires_at__gt=now)
    if unspent.update(**_spent(link, now)) != 1:
        link.refresh_from_db()
        raise _refusal(link)


def _spent(link: OneTimeLink, now: datetime) -> dict[str, Any]:
    """What changes when a link is used once more; told by the row as it then is, whoever used it meanwhile."""
    if not isinstance(link, Invitation):
        return {"used_at": now}
    is_last = When(taken__gte=F("places") - 1, then=Value(now))
    return {"taken": F("taken") + 1, "used_at": Case(is_last, default=None, output_field=DateTimeField())}


def _refusal(link: OneTimeLink) -> LinkRefused:
    if not link.used_at:
        return LinkExpired()
    return LinkFull() if isinstance(link, Invitation) and link.places > 1 else LinkUsed()
