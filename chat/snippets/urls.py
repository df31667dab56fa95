"""The URLs of code, named like the buttons that lead there."""

from django.urls import path

from chat.snippets import views

urlpatterns = [
    path("lanes/<int:lane>/code/", views.lane_code, name="lane_code"),
    path("messages/<int:message>/code/", views.answer_code, name="answer_code"),
]
