"""The one Django app; every package under ``chat/`` belongs to it and shares its label."""

from django.apps import AppConfig


class ChatConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "chat"
    verbose_name = "Playground"

    def ready(self) -> None:
        """Connect the receivers: importing these modules is what registers them."""
        from chat.accounts import signals as account_signals
        from chat.conversations import signals as conversation_signals

        assert account_signals and conversation_signals
