"""The one Django app; every package under ``chat/`` belongs to it and shares its label."""

from importlib import import_module

from django.apps import AppConfig


class ChatConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "chat"
    verbose_name = "Playground"

    def ready(self) -> None:
        """Connect the receivers: importing these modules is what registers them."""
        import_module("chat.accounts.signals")
        import_module("chat.conversations.signals")
