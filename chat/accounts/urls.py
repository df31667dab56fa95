"""Where one-time links lead. Everything under ``/accounts/`` is allauth's."""

from django.urls import path

from chat.accounts import views

app_name = "accounts"

urlpatterns = [
    path("in/<str:token>/", views.signin_link, name="signin_link"),
    path("join/<str:token>/", views.join, name="join"),
]
