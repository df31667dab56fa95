"""A Redis server of a test's own, on a free port, which may be stopped and started again."""

import socket
import subprocess
import tempfile
import time

from tests.playground_process import free_port

START_SECONDS = 10


class RedisProcess:
    """A server that keeps nothing. Use as a context manager; leaving kills it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> "RedisProcess":
        self.folder = tempfile.TemporaryDirectory()
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self.folder.cleanup()

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([*command, "--dir", self.folder.name], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                raise RuntimeError("Redis did not start.")
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False
