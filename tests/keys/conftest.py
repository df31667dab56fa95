"""The cast and a Hub for the tests of keys."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from tests.factories import make_administrator, make_endpoint, make_user
from tests.keys.hub import Hub


@pytest.fixture(autouse=True)
def fresh_throttle() -> None:
    cache.clear()


@pytest.fixture
def hub(settings: LazySettings) -> Iterator[Hub]:
    hub = Hub()
    settings.HF_HUB_URL = hub.url
    yield hub
    hub.close()


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    return make_user("bob")


@pytest.fixture
def ada(db: None) -> User:
    return make_administrator()


@pytest.fixture
def router(db: None) -> Endpoint:
    return make_endpoint()


@pytest.fixture
def alices_browser(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client
