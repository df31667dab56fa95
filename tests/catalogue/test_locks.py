"""Processes that start together store the same lists without getting in each other's way."""

from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import pytest
from django.db import connection

from chat.catalogue.actions import store_offers
from chat.catalogue.facts import OfferFacts
from chat.catalogue.models import Endpoint, Offer
from tests.factories import make_endpoint

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
MODELS = [f"org/model-{number}" for number in range(300)]


def store(endpoint: Endpoint, order: int) -> None:
    try:
        store_offers(endpoint, [OfferFacts(name, provider="p") for name in MODELS[::order]])
    finally:
        connection.close()


@pytest.mark.parametrize("endpoints", [1, 2])
def test_lists_that_are_stored_together_end_in_no_deadlock(endpoints: int) -> None:
    places = [make_endpoint(f"router{number}") for number in range(endpoints)]

    with ThreadPoolExecutor(4) as threads:
        for place in places:
            list(threads.map(store, repeat(place, 2), (1, -1)))
        jobs = [threads.submit(store, place, order) for _ in range(4) for place in places for order in (1, -1)]
        for job in jobs:
            job.result(60)

    assert Offer.objects.listed().count() == endpoints * len(MODELS)
