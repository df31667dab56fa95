"""nginx with the project's own configuration, on a free port of this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from tests.playground_process import free_port

CONFIGURATION = Path(settings.BASE_DIR) / "deploy" / "nginx.conf"
# Debian keeps it where only root looks.
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
AROUND = """
{user}
pid {folder}/nginx.pid;
error_log stderr;
daemon off;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/playground.conf;
}}
"""


def needed() -> str:
    if NGINX is None:
        pytest.skip("No nginx on this machine.")
    return NGINX


class Proxy:
    """One nginx before the servers at ``ports``. It differs from what is deployed in its port and their addresses."""

    def __init__(self, folder: Path, port: int, ports: Sequence[int]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        servers = folder / "playground.servers"
        servers.write_text("".join(f"server 127.0.0.1:{number};\n" for number in ports), encoding="ascii")
        text = CONFIGURATION.read_text(encoding="utf-8")
        for deployed, here in (
            ("/etc/nginx/playground.servers", str(servers)),
            ("listen 80;", f"listen 127.0.0.1:{port};"),
        ):
            assert deployed in text
            text = text.replace(deployed, here)
        (folder / "playground.conf").write_text(text, encoding="utf-8")
        # As root its workers would be somebody who may not read here.
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(AROUND.format(user=user, folder=folder), encoding="utf-8")
        self.command = [needed(), "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


@contextmanager
def running(folder: Path, ports: Sequence[int], port: int = 0) -> Iterator[Proxy]:
    """An nginx that listens; leaving ends it."""
    proxy = Proxy(folder, port or free_port(), ports)
    subprocess.run([*proxy.command, "-t", "-q"], check=True, timeout=10)
    with subprocess.Popen(proxy.command, stderr=subprocess.DEVNULL) as process:
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
                assert client.get(f"{proxy.url}/readyz").status_code == 404
            yield proxy
        finally:
            process.terminate()
            process.wait(10)
