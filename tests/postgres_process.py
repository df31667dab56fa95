"""A PostgreSQL server of a test's own, on a free port, which may be stopped and started again.

It refuses to run as root, so that root becomes the user that the package made for it.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.playground_process import free_port

PACKAGED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
OPTIONS = "-c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=300 -c unix_socket_directories=''"


class PostgresProcess:
    """A cluster of one database. Use as a context manager; leaving stops it and deletes all."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> "PostgresProcess":
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.data = Path(self.folder.name) / "data"
        self.data.mkdir()
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            for path in (Path(self.folder.name), self.data):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._run("pg_ctl", "stop", "--mode=immediate", check=False)
        self.folder.cleanup()

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        log = str(self.data / "log")
        self._run("pg_ctl", "start", "--wait", f"--log={log}", f"--options=-p {self.port} {OPTIONS}")

    def stop(self) -> None:
        """End all connections, as a restart by its keeper would."""
        self._run("pg_ctl", "stop", "--wait", "--mode=fast")

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        path = ":".join([os.environ.get("PATH", ""), *map(str, reversed(PACKAGED))])
        found = shutil.which(program, path=path)
        if found is None:
            raise RuntimeError(f"There is no {program} on this machine.")
        command = [found, "--pgdata", str(self.data), *arguments]
        subprocess.run(command, check=check, cwd="/", stdout=subprocess.DEVNULL, user=_user())


def _user() -> str | None:
    return "postgres" if os.getuid() == 0 else None
