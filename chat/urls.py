"""Gathers the URLs of all packages, and the page that shows their partials."""

from django.urls import include, path

from chat import patterns

urlpatterns = [
    path("", include("chat.conversations.urls")),
    path("", include("chat.snippets.urls")),
    path("", include("chat.accounts.urls")),
    path("keys/", include("chat.keys.urls")),
    path("models/", include("chat.catalogue.urls")),
    path("usage/", include("chat.usage.urls")),
    path("notices/", include("chat.notices.urls")),
    path("settings/", include("chat.preferences.urls")),
    path("patterns/", patterns.page, name="patterns"),
]
