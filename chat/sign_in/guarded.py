"""What needs a fresh sign-in: whatever an administrator changes, and whatever changes how one signs in."""

from django.http import HttpRequest

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# In the administration all writing is guarded but this: nobody needs a reason to leave.
HARMLESS = frozenset({"logout"})
# These show secrets or begin a ceremony: guarded from the first look on.
READS = frozenset(
    {
        "mfa_activate_totp",
        "mfa_deactivate_totp",
        "mfa_add_webauthn",
        "mfa_edit_webauthn",
        "mfa_remove_webauthn",
        "mfa_view_recovery_codes",
        "mfa_download_recovery_codes",
        "mfa_generate_recovery_codes",
    }
)
WRITES = READS | {"account_set_password", "account_email", "openid_connect_login", "socialaccount_connections"}


def is_guarded(request: HttpRequest) -> bool:
    """Whether the view that ``request`` has been resolved to wants a fresh sign-in, for this method."""
    match = request.resolver_match
    if match is None:
        return False
    if request.method in SAFE_METHODS:
        return match.url_name in READS
    if match.app_name == "admin":
        return match.url_name not in HARMLESS
    # A member's own keys open nothing to whoever finds their browser; an administrator's pay for more.
    return match.url_name in WRITES or (match.app_name == "keys" and request.user.is_staff)
