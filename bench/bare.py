"""The yardstick: what forwarding tokens from httpx to a socket costs under Channels and daphne when nothing else is
done. No database, no people, no rendering, one frame for each token. It is not part of the product.
"""

import argparse
import asyncio
import json
import sys
from typing import Any

import django
from django.conf import settings

settings.configure(ALLOWED_HOSTS=["*"], INSTALLED_APPS=["channels"], SECRET_KEY="bare")
django.setup()

import httpx  # noqa: E402
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402
from daphne.server import Server  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--upstream", required=True)
options = parser.parse_args()
unlimited = httpx.Limits(max_connections=None, max_keepalive_connections=None)
client = httpx.AsyncClient(timeout=60, limits=unlimited, trust_env=False)


class Echo(AsyncWebsocketConsumer):
    """Takes a model's name and streams its answer."""

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self.task = asyncio.ensure_future(self.stream(str(text_data)))

    async def stream(self, model: str) -> None:
        body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": "Go."}], "stream": True}
        async with client.stream("POST", f"{options.upstream}/chat/completions", json=body) as response:
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    await self.send(text_data=json.loads(line[6:])["choices"][0]["delta"].get("content", ""))
        await self.send(text_data="[DONE]")


def ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


application = ProtocolTypeRouter({"websocket": Echo.as_asgi()})
endpoint = f"tcp:port={options.port}:interface=127.0.0.1"
Server(application, endpoints=[endpoint], signal_handlers=False, ready_callable=ready).run()
