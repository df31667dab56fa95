"""Settings, under ``/settings/``."""

from django.urls import path

from chat.preferences import views

urlpatterns = [
    path("", views.settings, name="settings"),
    path("theme/", views.set_theme, name="set_theme"),
]
