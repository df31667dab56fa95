"""Models, under ``/models/``."""

from django.urls import path

from chat.picker import views

urlpatterns = [
    path("", views.models, name="models"),
    path("picker/", views.results, name="picker_results"),
    path("picker/more/", views.more, name="picker_more"),
    path("offers/", views.offers, name="model_offers"),
    path("refresh/", views.refresh, name="refresh_models"),
]
