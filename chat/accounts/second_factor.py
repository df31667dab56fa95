"""Whether somebody has a second factor, and whether they must: administrators, where ``REQUIRE_ADMIN_MFA`` says so."""

from allauth.mfa.models import Authenticator
from django.conf import settings

from chat.accounts.models import User

# Recovery codes stand in for one of these; alone they are none.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_second_factor(user: User) -> bool:
    return bool(Authenticator.objects.filter(user=user, type__in=FACTORS).exists())


def lacks_second_factor(user: User) -> bool:
    """Whether this person may do nothing before setting one up. Costs a query for administrators only."""
    return bool(settings.REQUIRE_ADMIN_MFA and (user.is_staff or user.is_superuser) and not has_second_factor(user))


def forget_second_factors(user: User) -> None:
    """For who has lost all of them; whoever has the password comes in with that alone again."""
    Authenticator.objects.filter(user=user).delete()
