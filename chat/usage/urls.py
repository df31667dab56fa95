"""Usage, under ``/usage/``."""

from django.urls import path

from chat.usage import views

urlpatterns = [path("", views.usage, name="usage"), path("limits/", views.own_limits, name="own_limits")]
