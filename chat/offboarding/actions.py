"""``offboard`` and what it will end. Chats are kept; deleting the account would take them along."""

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from chat.accounts.actions import disable_user
from chat.accounts.models import Invitation, SignInLink, User
from chat.audit.record import Verb, record
from chat.conversations.models import Conversation
from chat.conversations.tree_actions import stop_all
from chat.keys.models import KeyGrant, PersonalKey
from chat.runs.models import Run, RunQuerySet


@dataclass(frozen=True)
class Belongings:
    """What ends with a person, and how many chats stay."""

    runs: RunQuerySet
    grants: QuerySet[KeyGrant]
    keys: QuerySet[PersonalKey]
    invitations: QuerySet[Invitation]
    connections: QuerySet[SocialAccount]
    groups: list[str]
    chats: int

    @classmethod
    def of(cls, user: User) -> "Belongings":
        return cls(
            runs=Run.objects.active().filter(owner=user),
            grants=KeyGrant.objects.filter(user=user).select_related("shared_key"),
            keys=PersonalKey.objects.filter(user=user),
            invitations=Invitation.objects.filter(created_by=user, used_at=None, expires_at__gt=timezone.now()),
            connections=SocialAccount.objects.filter(user=user),
            groups=list(user.groups.values_list("name", flat=True)),
            chats=Conversation.objects.filter(owner=user).count(),
        )


@transaction.atomic
def offboard(user: User, by: User | None) -> None:
    """End this person's sessions, sockets, running answers, grants, groups, rights, own keys, second factors,
    connected accounts, and the invitations they made. The account stays, switched off, with its chats."""
    # First: it ends sessions and sockets too, and an answer that is asked for meanwhile finds no key to be paid with.
    disable_user(user, by=by)
    theirs = Belongings.of(user)
    stop_all(theirs.runs)
    for grant in theirs.grants:
        record(by, Verb.REVOKED, grant)
    for key in theirs.keys:
        record(by, Verb.REMOVED, key, {"owner": user.get_username()})
    for rows in (theirs.grants, theirs.keys, theirs.connections, Authenticator.objects.filter(user=user)):
        rows.delete()
    now = timezone.now()
    theirs.invitations.update(expires_at=now)
    SignInLink.objects.filter(user=user, used_at=None, expires_at__gt=now).update(expires_at=now)
    _take_rights(user)
    record(by, Verb.REVOKED, user, {"groups": theirs.groups, "offboarded": True})


def _take_rights(user: User) -> None:
    user.groups.clear()
    user.user_permissions.clear()
    user.is_staff = user.is_superuser = False
    user.set_unusable_password()
    user.save(update_fields=["is_staff", "is_superuser", "password"])
