"""Gathers the URLs of all packages; defines none itself."""

from django.urls import include, path

urlpatterns = [
    path("", include("chat.conversations.urls")),
    path("", include("chat.accounts.urls")),
    path("keys/", include("chat.keys.urls")),
    path("models/", include("chat.catalogue.urls")),
    path("usage/", include("chat.usage.urls")),
    path("settings/", include("chat.preferences.urls")),
]
