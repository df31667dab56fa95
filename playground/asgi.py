"""The ASGI application: Django for HTTP, Channels for sockets.

A socket passes the Origin check before anything looks at its session. Served by ``manage.py serve``.
"""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
# Built first: it loads the apps, and consumers import models.
django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from chat.origin import OriginValidator  # noqa: E402
from chat.request_ids import RequestIds  # noqa: E402
from chat.routing import websocket_urlpatterns  # noqa: E402

application = RequestIds(
    ProtocolTypeRouter(
        {
            "http": django_application,
            "websocket": OriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
        }
    )
)
