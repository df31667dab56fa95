"""What administrators do with their notices."""

from django.urls import path

from chat.notices import views

app_name = "notices"

urlpatterns = [
    path("<int:pk>/dismiss/", views.dismiss, name="dismiss"),
]
