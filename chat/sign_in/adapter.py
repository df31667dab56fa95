"""Where one goes after signing in: back to what was left half done."""

from typing import Any

from django.http import HttpRequest

from chat.accounts.adapter import AccountAdapter
from chat.accounts.models import User
from chat.sign_in.suspension import suspended_path


class SignInAdapter(AccountAdapter):
    def get_login_redirect_url(self, request: HttpRequest, *args: Any, **kwargs: Any) -> str:
        left = suspended_path(request, request.user) if isinstance(request.user, User) else ""
        return left or str(super().get_login_redirect_url(request, *args, **kwargs))
