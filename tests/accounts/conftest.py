"""No test is kept out by what the tests before it tried."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def fresh_throttle() -> None:
    cache.clear()
