"""Which path leads to which consumer."""

from django.urls import path, re_path

from chat.consumers import ChatConsumer, NowhereConsumer

websocket_urlpatterns = [
    path("ws/c/<uuid:conversation_id>/", ChatConsumer.as_asgi()),
    # Last: without it an address that nobody serves is an error in the log for each try.
    re_path(r"", NowhereConsumer.as_asgi()),
]
