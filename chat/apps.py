"""The one Django app; every package under ``chat/`` belongs to it and shares its label."""

from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class ChatConfig(AppConfig):
    default_auto_field = "django.db.models.BigAutoField"
    name = "chat"
    verbose_name = "Playground"

    def ready(self) -> None:
        """Connect the receivers: importing these modules is what registers them."""
        import_module("chat.accounts.signals")
        import_module("chat.conversations.signals")
        import_module("chat.sign_in.signals")
        import_module("chat.sign_in.factors")
        search_index = import_module("chat.conversations.search.index")
        guard = import_module("chat.audit.guard")
        connection_created.connect(search_index.prepare_connection)
        pre_migrate.connect(search_index.stop_keeping, sender=self)
        post_migrate.connect(search_index.go_on_keeping, sender=self)
        post_migrate.connect(guard.make_again, sender=self)
