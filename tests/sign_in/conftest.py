"""An administrator at a browser, and a way to let time pass since they signed in."""

import time

import pytest
from django.core.cache import cache
from django.test import Client

from chat.accounts.fresh import SIGNED_IN_AT
from chat.accounts.models import User
from tests.factories import make_administrator


@pytest.fixture(autouse=True)
def fresh_throttle() -> None:
    cache.clear()


@pytest.fixture
def ada(client: Client) -> User:
    ada = make_administrator()
    client.force_login(ada)
    return ada


def let_pass(browser: Client, minutes: float) -> None:
    """Make the sign-in of this session so much older."""
    session = browser.session
    session[SIGNED_IN_AT] = time.time() - 60 * minutes
    session.save()
