"""Prices that an administrator sets hold over those that are listed, until the listed ones are taken back."""

from decimal import Decimal

import pytest
from django.test import Client

from chat.accounts.models import User
from chat.audit.models import AuditEntry
from chat.catalogue.actions import store_offers
from chat.catalogue.facts import OfferFacts
from chat.catalogue.models import Endpoint, Offer
from chat.conversations.asking import plan
from tests.factories import make_administrator, make_conversation, make_endpoint, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint() -> Endpoint:
    return make_endpoint(needs_key=False)


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(make_administrator())
    return client


def list_at(endpoint: Endpoint, price: str, *, is_free: bool = False) -> Offer:
    facts = OfferFacts(
        "org/model", "together", input_price=Decimal(price), output_price=Decimal(price), is_free=is_free
    )
    store_offers(endpoint, [facts])
    return Offer.objects.get()


def set_price(browser: Client, offer: Offer, price: str) -> None:
    fields = {"input_price": price, "output_price": "2"}
    assert browser.post(f"/admin/chat/offer/{offer.pk}/change/", fields).status_code == 302


def prices(endpoint: Endpoint) -> tuple[Decimal | None, Decimal | None]:
    """What an answer would be reckoned at."""
    user = make_user(f"user{User.objects.count()}")
    chat = make_conversation(user, "org/model", endpoint=endpoint)
    fields = plan(user, list(chat.lanes.select_related("endpoint")))[0].ways[0].fields
    return fields["input_price"], fields["output_price"]


def test_a_price_that_is_set_holds_and_outlives_the_next_list(browser: Client, endpoint: Endpoint) -> None:
    offer = list_at(endpoint, "0.5", is_free=True)

    set_price(browser, offer, "0.25")
    assert prices(endpoint) == (Decimal("0.25"), Decimal(2))
    list_at(endpoint, "0.9")
    html = browser.get("/admin/chat/offer/").text

    assert prices(endpoint) == (Decimal("0.25"), Decimal(2))
    assert "set by ada on 20" in html and "$0.25" in html
    assert "$0.90 in, $0.90 out" in browser.get(f"/admin/chat/offer/{offer.pk}/change/").text


def test_listed_price_holds_again_when_it_is_taken_back(browser: Client, endpoint: Endpoint) -> None:
    offer = list_at(endpoint, "0.5")
    set_price(browser, offer, "0.25")
    list_at(endpoint, "0.9")

    browser.post("/admin/chat/offer/", {"action": "use_listed", "_selected_action": [offer.pk]})

    assert prices(endpoint) == (Decimal("0.9"), Decimal("0.9"))
    assert "as listed on 20" in browser.get("/admin/chat/offer/").text


def test_who_set_and_took_back_a_price_is_in_the_audit_log(browser: Client, endpoint: Endpoint) -> None:
    offer = list_at(endpoint, "0.5")
    set_price(browser, offer, "0.25")
    browser.post("/admin/chat/offer/", {"action": "use_listed", "_selected_action": [offer.pk]})

    told = AuditEntry.objects.order_by("pk").values_list("actor_name", "verb", "subject_name", "details__input_price")
    assert list(told) == [
        ("ada", "changed", "org/model · together", {"from": "0.5", "to": "0.25"}),
        ("ada", "changed", "org/model · together", {"from": "0.25", "to": "0.5"}),
    ]


def test_a_price_below_zero_is_refused(browser: Client, endpoint: Endpoint) -> None:
    offer = list_at(endpoint, "0.5")

    answer = browser.post(f"/admin/chat/offer/{offer.pk}/change/", {"input_price": "-1", "output_price": "2"})

    assert "A price is not below zero." in answer.text
    assert Offer.objects.get().price_set_at is None


def test_members_see_that_a_price_is_set_here(browser: Client, endpoint: Endpoint) -> None:
    set_price(browser, list_at(endpoint, "0.5"), "0.25")
    client = Client()
    client.force_login(make_user())

    html = client.get("/models/offers/", {"model": f"{endpoint.slug}@org/model"}, headers={"HX-Request": "true"}).text

    assert "set here" in html and "as ada set it on" in html


def test_what_is_billed_by_the_hour_has_no_price_by_token(browser: Client, endpoint: Endpoint) -> None:
    list_at(endpoint, "0.5")
    Endpoint.objects.update(billed_by_hour=True)
    endpoint.refresh_from_db()
    client = Client()
    client.force_login(make_user())

    assert prices(endpoint) == (None, None)
    assert client.get("/models/").text.count("billed by the hour") == 2
    assert "billed by the hour" in browser.get("/admin/chat/offer/").text
