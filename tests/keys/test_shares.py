"""What people see of limits: what is left of each key, limits of their own, and asking for more."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.accounts.models import User
from chat.audit.models import AuditEntry
from chat.catalogue.models import Endpoint
from chat.keys import quota
from chat.keys.asking import KeyRequest
from chat.keys.choose import usable_keys
from chat.keys.grant_form import LIMITS, limit_name
from chat.keys.limits import Limit, Measure
from chat.keys.models import KeyGrant, SharedKey
from chat.keys.quota import Amounts, Ask, Option
from chat.keys.shares import money_left_today
from chat.notices.models import Notice
from tests.factories import make_personal_key, make_shared_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def grant(router: Endpoint) -> KeyGrant:
    return KeyGrant.objects.create(shared_key=make_shared_key(router), everyone=True)


def limit(grant: KeyGrant, measure: Measure, at_most: str, each_person: bool = True) -> Limit:
    return Limit.objects.create(grant=grant, measure=measure, at_most=Decimal(at_most), each_person=each_person)


def spend(person: User, grant: KeyGrant | None, money: str, run_id: int = 1) -> None:
    option = Option("Team key", grant, Amounts(1, Decimal(money)), True)
    quota.admit(person, [Ask(run_id, (option,))])
    quota.settle(run_id, option.worst)


def page(browser: Client, address: str = "/keys/") -> str:
    return browser.get(address).content.decode()


def test_a_shared_key_is_listed_with_what_is_left_of_each_limit(
    alices_browser: Client, alice: User, bob: User, grant: KeyGrant
) -> None:
    KeyGrant.objects.update(model_patterns="Qwen/*", provider_patterns="groq")
    limit(grant, Measure.MONEY_PER_DAY, "0.50")
    limit(grant, Measure.MONEY_PER_MONTH, "20", each_person=False)
    limit(grant, Measure.TOKENS_PER_DAY, "0")
    spend_allowed = Limit.objects.filter(measure=Measure.TOKENS_PER_DAY)
    spend_allowed.update(at_most=1000)
    spend(alice, grant, "0.12")
    spend(bob, grant, "0.40", run_id=2)
    spend_allowed.update(at_most=0)

    shown = page(alices_browser)

    assert "For Qwen/*, with groq." in shown
    assert "$0.38 of today&#x27;s $0.50 left. It resets at 00:00 (UTC)." in shown
    assert "$19.48 of this month&#x27;s $20 left for all together. It resets on 1 " in shown
    assert "Blocked." in shown
    assert "0.40" not in shown


def test_a_key_without_limits_says_so(alices_browser: Client, grant: KeyGrant) -> None:
    assert "For every model. No limit." in page(alices_browser)


def test_own_limits_are_set_shown_and_taken_away(alices_browser: Client, alice: User) -> None:
    address = reverse("own_limits")
    fields = {"money_day_0": "at_most", "money_day_1": "0.75", "tokens_day_0": "none", "tokens_day_1": ""}

    assert alices_browser.post(address, fields).status_code == 302
    assert Limit.objects.get().owner == alice
    spend(alice, None, "0.25")
    assert "$0.50 of today&#x27;s $0.75 left." in page(alices_browser, "/usage/")

    alices_browser.post(address, fields | {"money_day_0": "none", "money_day_1": ""})
    assert not Limit.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"money_day_1": ""}, {"money_day_0": "none"}, {"money_day_0": "blocked", "money_day_1": ""}, {"tokens_day_0": ""}],
)
def test_a_limit_of_ones_own_that_says_nothing_is_refused_and_kept_in_the_form(
    alices_browser: Client, wrong: dict[str, str]
) -> None:
    fields = {"money_day_0": "at_most", "money_day_1": "0.75", "tokens_day_0": "at_most", "tokens_day_1": "777"}

    answer = alices_browser.post(reverse("own_limits"), fields | wrong)

    assert answer.status_code == 422 and 'value="777"' in answer.content.decode()
    assert not Limit.objects.exists()


def test_what_is_left_today_is_the_least_of_what_bounds_it(alice: User, router: Endpoint, grant: KeyGrant) -> None:
    def left() -> Decimal | None:
        return money_left_today(usable_keys(alice, router)[0], alice)

    assert left() is None
    limit(grant, Measure.TOKENS_PER_DAY, "1000")
    assert left() is None
    limit(grant, Measure.MONEY_PER_DAY, "2")
    limit(grant, Measure.MONEY_PER_DAY, "1.5", each_person=False)
    assert left() == Decimal("1.5")
    Limit.objects.create(owner=alice, measure=Measure.MONEY_PER_DAY, at_most=1)
    spend(alice, grant, "0.25")
    assert left() == Decimal("0.75")


def test_another_grant_that_leaves_more_says_how_much_is_left(alice: User, router: Endpoint, grant: KeyGrant) -> None:
    more = KeyGrant.objects.create(shared_key=grant.shared_key, user=alice)
    limit(grant, Measure.MONEY_PER_DAY, "1")
    limit(more, Measure.MONEY_PER_DAY, "5")

    assert money_left_today(usable_keys(alice, router)[0], alice) == 5


def test_a_key_of_ones_own_knows_the_own_limits_alone(alice: User, router: Endpoint) -> None:
    make_personal_key(alice, router)
    Limit.objects.create(owner=alice, measure=Measure.MONEY_PER_DAY, at_most=1)

    assert money_left_today(usable_keys(alice, router)[0], alice) == 1


def ask(browser: Client, key: SharedKey | None, words: str = "More for the workshop") -> Any:
    return browser.post(reverse("keys:ask"), {"shared_key": key.pk if key else "", "words": words})


def test_a_request_is_queued_and_administrators_are_told(alices_browser: Client, grant: KeyGrant) -> None:
    assert ask(alices_browser, grant.shared_key).status_code == 302

    assert Notice.objects.get().sentence == "alice asks for more of Team key …cd34: More for the workshop"
    assert "Waiting" in page(alices_browser) and "More for the workshop" in page(alices_browser)


def test_a_key_that_is_not_theirs_cannot_be_asked_about(alices_browser: Client, router: Endpoint) -> None:
    answer = ask(alices_browser, make_shared_key(router))

    assert answer.status_code == 422 and "More for the workshop" in answer.content.decode()
    assert not KeyRequest.objects.exists()


def test_a_token_in_a_request_is_refused_and_not_shown(alices_browser: Client) -> None:
    answer = ask(alices_browser, None, "use hf_canarycanarycanarycanary please")

    assert answer.status_code == 422 and "canary" not in answer.content.decode()
    assert not KeyRequest.objects.exists()


def test_nobody_fills_the_queue(alices_browser: Client) -> None:
    answers = [ask(alices_browser, None, str(number)) for number in range(4)]

    assert [answer.status_code for answer in answers] == [302, 302, 302, 422]
    assert KeyRequest.objects.count() == 3


def test_a_request_is_declined(client: Client, ada: User, alices_browser: Client, alice: User, grant: KeyGrant) -> None:
    ask(alices_browser, grant.shared_key)
    browser = Client()
    browser.force_login(ada)

    act(browser, "decline")

    asked = KeyRequest.objects.get()
    assert (asked.decision, asked.decided_by) == ("declined", ada)
    assert not Notice.objects.filter(settled_at=None).exists()
    assert "Declined" in page(alices_browser)
    assert AuditEntry.objects.get(subject_kind="request for more").actor_name == "ada"


def test_a_request_is_granted_by_granting_the_key(
    ada: User, alices_browser: Client, alice: User, grant: KeyGrant
) -> None:
    ask(alices_browser, grant.shared_key)
    browser = Client()
    browser.force_login(ada)

    form = act(browser, "give")
    assert form["Location"] == f"/admin/chat/keygrant/add/?user={alice.pk}&shared_key={grant.shared_key_id}"
    posted = {f"{limit_name(*each)}_0": "none" for each in LIMITS}
    patterns = {"model_patterns": "*", "provider_patterns": "*"}
    browser.post(form["Location"], {"shared_key": grant.shared_key_id, "user": alice.pk, **patterns, **posted})

    assert KeyRequest.objects.get().decision == "granted"
    assert KeyGrant.objects.filter(user=alice).exists()
    assert "Granted" in page(alices_browser)


def act(browser: Client, action: str) -> Any:
    """Choose an action for all requests."""
    chosen = [request.pk for request in KeyRequest.objects.all()]
    return browser.post("/admin/chat/keyrequest/", {"action": action, "_selected_action": chosen})
