"""What holds for every test: none of them leaves this machine, and none fails because the machine is slow."""

import ipaddress
import socket
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings

from chat.audit import guard
from tests import backends

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


class LeftTheMachine(AssertionError):
    """A test tried to reach something beyond loopback."""


def pytest_configure(config: pytest.Config) -> None:
    if backends.KINDS["redis"]:
        # The client of Redis leaves it to the collector to close what a thread that has ended held open.
        config.addinivalue_line("filterwarnings", "ignore:unclosed <socket:ResourceWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is about other servers than those that the tests run on. Not skipped: nothing is missing."""
    others = [kind for kind, is_used in backends.KINDS.items() if not is_used]
    elsewhere = [item for item in items if any(item.get_closest_marker(kind) for kind in others)]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """The test database, which goes even where a thread that has ended left its connection open.

    The rows of the audit log go after each test like all others, and only then.
    """
    flush = connection.ops.execute_sql_flush

    def flush_unguarded(statements: Iterable[str]) -> None:
        with guard.lifted(connection):
            flush(statements)

    connection.ops.execute_sql_flush = flush_unguarded  # type: ignore[assignment, method-assign]
    yield
    backends.end_sessions(connection.settings_dict["NAME"])


@pytest.fixture(scope="session", autouse=True)
def servers_cleared_up() -> Iterator[None]:
    yield
    backends.clear_up()


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail any test that connects to another machine, and know no names but this one's."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not is_here(address[0]):
            raise LeftTheMachine(f"connection to {address}")
        return connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name and not is_here(name):
            raise socket.gaierror(socket.EAI_NONAME, f"Tests look up no names: {name}")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


def is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
