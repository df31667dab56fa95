"""Grants in Django admin: each limit is chosen in words, patterns say what they hit, and "May they?" says why."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from chat.accounts.models import User
from chat.catalogue.models import Endpoint, LanguageModel, Offer
from chat.keys import quota
from chat.keys.choose import choose_key
from chat.keys.grant_form import LIMITS, limit_name
from chat.keys.limits import Limit, Measure, Tally
from chat.keys.models import KeyGrant, SharedKey
from chat.keys.quota import Amounts, Ask, Option
from tests.factories import make_shared_key

pytestmark = pytest.mark.django_db
ADD = "/admin/chat/keygrant/add/"


@pytest.fixture
def browser(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def key(router: Endpoint) -> SharedKey:
    return make_shared_key(router)


def fields(key: SharedKey, **changes: Any) -> dict[str, Any]:
    """What the form posts: nothing limited, until ``each_tokens_day="500"`` or ``"blocked"`` says otherwise."""
    posted: dict[str, Any] = {"shared_key": key.pk, "model_patterns": "*", "provider_patterns": "*"}
    for name in (limit_name(*each) for each in LIMITS):
        chosen = changes.pop(name, "none")
        words = chosen in ("none", "blocked", "")
        posted |= {f"{name}_0": chosen if words else "at_most", f"{name}_1": "" if words else chosen}
    return posted | changes


def limits() -> dict[tuple[bool, str], Decimal]:
    return {(limit.each_person, limit.measure): limit.at_most for limit in Limit.objects.all()}


def test_a_key_is_granted_to_a_person_a_group_and_everyone(
    browser: Client, key: SharedKey, alice: User, bob: User, router: Endpoint
) -> None:
    group = Group.objects.create(name="vision")
    group.user_set.add(bob)

    browser.post(ADD, fields(key, user=alice.pk))
    browser.post(ADD, fields(key, group=group.pk))
    assert choose_key(alice, router) and choose_key(bob, router)

    browser.post(ADD, fields(key, everyone="on"))
    assert [grant.holder for grant in KeyGrant.objects.order_by("pk")] == ["alice", "vision", "Everyone"]


@pytest.mark.parametrize("names", [{}, {"user": True, "everyone": "on"}, {"user": True, "group": True}])
def test_a_grant_names_exactly_one(browser: Client, key: SharedKey, alice: User, names: dict[str, Any]) -> None:
    rows = {"user": alice.pk, "group": Group.objects.create(name="vision").pk}
    named = {name: rows.get(name, value) for name, value in names.items()}

    answer = browser.post(ADD, fields(key, **named))

    assert b"Name one: a person, a group, or everyone." in answer.content
    assert not KeyGrant.objects.exists()


def test_limits_are_stored_as_chosen_and_shown_again(browser: Client, key: SharedKey) -> None:
    browser.post(
        ADD, fields(key, everyone="on", each_money_day="0.50", together_money_month="20", each_tokens_day="blocked")
    )

    assert limits() == {
        (True, "money_day"): Decimal("0.5"),
        (False, "money_month"): 20,
        (True, "tokens_day"): 0,
    }
    page = browser.get(f"/admin/chat/keygrant/{KeyGrant.objects.get().pk}/change/").content.decode()
    assert 'name="each_money_day_1" value="0.5"' in page
    for name, chosen in (("each_tokens_day", "blocked"), ("together_tokens_day", "none")):
        assert re.search(f'<input[^>]* name="{name}_0" value="{chosen}"[^>]* checked', page)


@pytest.mark.parametrize(
    ("radio", "amount", "words"),
    [
        ("at_most", "", "Write how much at most"),
        ("at_most", "0", "Write how much at most"),
        ("at_most", "-1", "greater than or equal to 0"),
        ("at_most", "1.5", "no more than 0 decimal"),
        ("none", "5", "Choose “At most” for this number to hold"),
        ("blocked", "5", "Choose “At most” for this number to hold"),
        ("", "", "This field is required"),
        ("everything", "", "Select a valid choice"),
    ],
)
def test_an_empty_box_is_never_a_blank_cheque(
    browser: Client, key: SharedKey, radio: str, amount: str, words: str
) -> None:
    posted = fields(key, everyone="on") | {"each_tokens_day_0": radio, "each_tokens_day_1": amount}

    answer = browser.post(ADD, posted)

    assert words in answer.content.decode()
    assert not KeyGrant.objects.exists()


@pytest.mark.parametrize("text", ["", " \n , "])
def test_no_pattern_is_an_error_and_not_everything(browser: Client, key: SharedKey, text: str) -> None:
    answer = browser.post(ADD, fields(key, everyone="on", model_patterns=text))

    assert answer.status_code == 200 and not KeyGrant.objects.exists()


def test_a_limit_that_changes_keeps_what_was_used(browser: Client, key: SharedKey, alice: User) -> None:
    browser.post(ADD, fields(key, everyone="on", each_tokens_day="500", each_money_day="1"))
    grant = KeyGrant.objects.get()
    use(alice, grant, 100)
    address = f"/admin/chat/keygrant/{grant.pk}/change/"

    browser.post(address, fields(key, everyone="on", each_tokens_day="200"))

    assert limits() == {(True, "tokens_day"): 200}
    assert Tally.objects.get().used == 100
    assert "50 % of 200 tokens a day" in browser.get(address).content.decode()


def use(person: User, grant: KeyGrant, tokens: int) -> None:
    quota.admit(person, [Ask(tokens, (Option("Team key", grant, Amounts(tokens, Decimal(0)), True),))])
    quota.settle(tokens, Amounts(tokens, Decimal(0)))


def test_patterns_say_how_much_they_hit(browser: Client, key: SharedKey, router: Endpoint) -> None:
    for name, provider in [("Qwen/A", "groq"), ("Qwen/A", "novita"), ("Qwen/B", "novita"), ("meta-llama/C", "groq")]:
        model, _ = LanguageModel.objects.get_or_create(hub_id=name)
        Offer.objects.create(endpoint=router, language_model=model, provider=provider)
    grant = KeyGrant.objects.create(shared_key=key, everyone=True, model_patterns="Qwen/*", provider_patterns="no*")

    page = browser.get(f"/admin/chat/keygrant/{grant.pk}/change/").content.decode()

    assert "2 models: Qwen/A, Qwen/B. 1 provider of them." in page


def test_the_page_of_a_key_says_who_may_use_it_and_how_far_they_are(
    browser: Client, key: SharedKey, alice: User
) -> None:
    grant = KeyGrant.objects.create(shared_key=key, everyone=True, model_patterns="Qwen/*")
    Limit.objects.create(grant=grant, measure=Measure.TOKENS_PER_DAY, at_most=1000)
    Limit.objects.create(grant=grant, measure=Measure.MONEY_PER_MONTH, at_most=20, each_person=False)
    use(alice, grant, 620)

    page = browser.get(reverse("admin:chat_sharedkey_change", args=[key.pk])).content.decode()

    for words in ("Everyone</a>", "Qwen/*", "1,000 tokens a day", "$20 a month", "62 % of 1,000 tokens a day"):
        assert words in page


@pytest.mark.parametrize(
    ("tokens", "model", "words"),
    [
        (0, "Qwen/A", "Yes, through Everyone: Team key …cd34. 1,000 tokens of today&#x27;s 1,000 tokens left."),
        (400, "Qwen/A", "Yes, through Everyone: Team key …cd34. 600 tokens of today&#x27;s 1,000 tokens left."),
        (1000, "Qwen/A", "No: none of these rules has room for it."),
        (0, "meta-llama/C", "Team key …cd34 may not be used for C."),
    ],
)
def test_may_they_says_by_which_rule_and_what_is_left(
    browser: Client, key: SharedKey, alice: User, tokens: int, model: str, words: str
) -> None:
    grant = KeyGrant.objects.create(shared_key=key, everyone=True, model_patterns="Qwen/*")
    Limit.objects.create(grant=grant, measure=Measure.TOKENS_PER_DAY, at_most=1000)
    if tokens:
        use(alice, grant, tokens)

    page = browser.get("/admin/chat/keygrant/explain/", {"person": str(alice.pk), "model": model}).content.decode()

    assert words in page


def test_may_they_says_why_a_key_does_not_come_into_it(browser: Client, key: SharedKey, alice: User) -> None:
    page = browser.get("/admin/chat/keygrant/explain/", {"person": str(alice.pk), "model": "Qwen/A"}).content.decode()

    assert "No: none of these rules" in page and "It is not granted to them" in page


def test_may_they_is_for_administrators(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get("/admin/chat/keygrant/explain/").status_code == 302
