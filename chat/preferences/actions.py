"""The verbs of the settings page. The values are columns of the user; nothing here knows requests or forms."""

from collections.abc import Mapping
from typing import Any

from chat.accounts.models import User


def save_preferences(user: User, fields: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Store what the settings page has: ``fields`` are columns of the user, ``parameters`` those of new chats."""
    for name, value in fields.items():
        setattr(user, name, value)
    user.default_parameters = dict(parameters)
    user.save(update_fields=[*fields, "default_parameters"])


def set_theme(user: User, theme: str) -> None:
    user.theme = theme
    user.save(update_fields=["theme"])
