"""Ends sessions and sockets when the right to them ends, whatever code path took it away.

Connected by ``ChatConfig.ready``. Only saves and sign-outs are seen here; for updates in SQL see
``sockets.still_allowed``.
"""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from chat.accounts.actions import end_sessions
from chat.accounts.fresh import note_sign_in
from chat.accounts.models import User
from chat.accounts.sockets import close_sockets


@receiver(user_logged_in)
def remember_when_they_signed_in(request: HttpRequest, **kwargs: Any) -> None:
    note_sign_in(request)


@receiver(user_logged_out)
def close_sockets_of_ended_session(request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None and request.session.session_key:
        close_sockets(user.pk, request.session.session_key)


@receiver(post_save, sender=User)
def end_sessions_of_disabled_account(instance: User, created: bool, **kwargs: Any) -> None:
    if not created and not instance.is_active:
        end_sessions(instance)


@receiver(post_save, sender=User)
def close_sockets_after_password_change(instance: User, created: bool, **kwargs: Any) -> None:
    """The sessions themselves end because their hash covers the password; the one that changed it is renewed."""
    # Set by set_password and cleared at the end of save; an upgrade of the hash alone leaves it empty.
    if not created and getattr(instance, "_password", None) is not None:
        transaction.on_commit(lambda: close_sockets(instance.pk))


@receiver(post_delete, sender=User)
def close_sockets_of_deleted_account(instance: User, **kwargs: Any) -> None:
    # Deletion clears the pk of the instance afterwards.
    user_id = instance.pk
    transaction.on_commit(lambda: close_sockets(user_id))
