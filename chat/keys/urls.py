"""One's own keys, under ``/keys/``."""

from django.urls import path

from chat.keys import views

app_name = "keys"

urlpatterns = [
    path("", views.page, name="page"),
    path("add/", views.add, name="add"),
    path("ask/", views.ask_for_more, name="ask"),
    path("paste/", views.paste, name="paste"),
    path("<int:pk>/", views.row, name="row"),
    path("<int:pk>/check/", views.check, name="check"),
    path("<int:pk>/bill/", views.bill, name="bill"),
    path("<int:pk>/delete/", views.delete, name="delete"),
]
