"""Index titles and messages for search. It is derived data: the code that keeps it builds it, whatever version it is."""

from typing import Any

from django.db import migrations

from chat.conversations.search import index


def build(apps: Any, schema_editor: Any) -> None:
    index.build(schema_editor.connection)


def remove(apps: Any, schema_editor: Any) -> None:
    index.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("chat", "0002_run_begun_by_request")]

    operations = [migrations.RunPython(build, remove)]
