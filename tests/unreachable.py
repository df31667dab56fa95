"""A database that cannot be reached, for tests of what goes on without it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections


@pytest.fixture
def unreachable_database(transactional_db: None) -> Iterator[None]:
    """Threads that connect from now on are led astray; the test's own connection stays."""
    facts: dict[str, Any] = connections.settings["default"]
    kept = dict(facts)
    facts["NAME"] = "/no/such/directory/db.internal" if connection.vendor == "sqlite" else "no_such_database"
    # A pool would hand out a connection that it has already.
    facts["OPTIONS"] = {name: value for name, value in facts["OPTIONS"].items() if name != "pool"}
    yield
    facts.update(kept)
