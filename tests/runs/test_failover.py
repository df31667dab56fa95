"""Several keys for one endpoint: who goes first, what a refusal does to a key, and that the next one serves the run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from chat.accounts.models import User
from chat.audit.models import AuditEntry
from chat.catalogue.models import Endpoint
from chat.conversations import actions
from chat.conversations.models import Conversation, Lane
from chat.database import in_database
from chat.keys.choose import usable_keys
from chat.keys.models import KeyGrant, PersonalKey, SharedKey
from chat.keys.vault import NONE
from chat.notices.models import Notice
from chat.runs.models import Run
from chat.usage.models import UsageRecord
from tests.conversations.conftest import Settled
from tests.factories import make_personal_key, make_shared_key
from tests.fake_provider import FakeProvider

GOOD, BAD, POOR = "hf_good_of_the_team_0001", "hf_bad_of_the_team_0002", "hf_poor_of_the_team_0003"
NO_RIGHTS, LIMITED = "hf_norights_of_the_team_04", "hf_limited_of_the_team_05"
OTHER = "hf_good_of_the_team_0006"


@pytest.fixture
def guarded(endpoint: Endpoint, fake_provider: FakeProvider) -> Endpoint:
    """The fake provider, which wants a key."""
    endpoint.needs_key, endpoint.base_url = True, fake_provider.base_url
    endpoint.save()
    return endpoint


class Asking:
    """Alice asks, with shared keys of these secrets, the first to be used first."""

    def __init__(self, alice: User, chat: Conversation, endpoint: Endpoint, settled: Settled) -> None:
        self.alice, self.chat, self.endpoint, self.settled = alice, chat, endpoint, settled

    async def keys(self, *secrets: str, **fields: Any) -> list[SharedKey]:
        def make() -> list[SharedKey]:
            numbered = enumerate(secrets, 1)
            named: list[dict[str, Any]] = [
                ({"secret": secret, "priority": n, "label": f"Key {n}"} | fields) for n, secret in numbered
            ]
            return [make_shared_key(self.endpoint, self.alice, **fields) for fields in named]

        return await in_database(make)

    async def ask(self, scenario: str = "plain") -> Run:
        def write() -> None:
            Lane.objects.update(model_id=f"fake/{scenario}")
            lanes = list(Lane.objects.values_list("pk", flat=True))
            actions.send_message(self.alice, self.chat, "How is the sea?", lanes, str(timezone.now()))

        await in_database(write)
        return (await self.settled())[-1]


@pytest.fixture
def asking(alice: User, chat: Conversation, guarded: Endpoint, settled: Settled, engine: None) -> Asking:
    return Asking(alice, chat, guarded, settled)


def tokens(provider: FakeProvider) -> list[str]:
    return [request.headers["Authorization"].removeprefix("Bearer ") for request in provider.chats]


async def reread(key: SharedKey) -> SharedKey:
    return await in_database(SharedKey.objects.get, pk=key.pk)


async def logged() -> list[tuple[str, str]]:
    return await in_database(lambda: list(AuditEntry.objects.order_by("pk").values_list("verb", "subject_name")))


@pytest.mark.parametrize("refused", [BAD, NO_RIGHTS])
async def test_a_key_that_is_refused_is_switched_off_and_the_next_one_serves(
    asking: Asking, fake_provider: FakeProvider, refused: str
) -> None:
    first, second = await asking.keys(refused, GOOD)

    run = await asking.ask()

    assert tokens(fake_provider) == [refused, GOOD]
    assert (run.status, run.key_ref, run.key_label) == ("done", f"shared:{second.pk}", second.display)
    after = await reread(first)
    assert not after.enabled and after.stopped_because.startswith(first.display)
    assert ("disabled", first.display) in await logged()
    notice = await in_database(Notice.objects.get)
    assert first.display in notice.sentence and notice.address.endswith(f"/sharedkey/{first.pk}/change/")
    assert await in_database(lambda: UsageRecord.objects.get().key_label) == second.display


async def test_a_key_without_credit_is_parked_until_next_month(asking: Asking, fake_provider: FakeProvider) -> None:
    first, _ = await asking.keys(POOR, GOOD)

    runs = [await asking.ask(), await asking.ask()]

    assert tokens(fake_provider) == [POOR, GOOD, GOOD]
    assert [run.status for run in runs] == ["done", "done"]
    parked = (await reread(first)).parked_until
    assert parked and parked.day == 1 and timedelta(0) < parked - datetime.now(UTC) <= timedelta(31)
    assert [verb for verb, name in await logged() if name == first.display] == ["first used", "parked"]


async def test_a_limited_key_rests_as_long_as_the_provider_says(asking: Asking, fake_provider: FakeProvider) -> None:
    first, second = await asking.keys(LIMITED, GOOD)

    await asking.ask()
    await asking.ask()

    assert tokens(fake_provider) == [LIMITED, GOOD, GOOD]
    after = await reread(first)
    assert after.enabled and after.limited_at and after.resting_until
    assert after.resting_until - after.limited_at == timedelta(seconds=57)
    assert await in_database(lambda: usable_keys(asking.alice, asking.endpoint)[0].label) == second.label


def test_of_keys_of_one_priority_the_one_longest_not_limited_goes_first(alice: User, endpoint: Endpoint) -> None:
    endpoint.needs_key = True

    def make(label: str, **fields: Any) -> None:
        make_shared_key(endpoint, alice, label=label, secret=f"hf_good_of_{label}", **fields)

    now = timezone.now()
    make("lately", limited_at=now - timedelta(minutes=1))
    make("longago", limited_at=now - timedelta(hours=1))
    make("never")
    make("second", priority=200)
    make("resting", priority=1, limited_at=now, resting_until=now + timedelta(minutes=1))
    make("failing", priority=1, check_passed=False)
    make("parked", priority=1, parked_until=now + timedelta(days=1))
    make("back", priority=300, parked_until=now - timedelta(days=1))

    order = [choice.label for choice in usable_keys(alice, endpoint)]
    assert order == ["never", "longago", "lately", "second", "back", "resting", "failing"]


async def test_after_the_first_token_no_other_key_is_tried(asking: Asking, fake_provider: FakeProvider) -> None:
    first, _ = await asking.keys(GOOD, OTHER)

    run = await asking.ask("refused-in-stream")

    assert tokens(fake_provider) == [GOOD]
    assert (run.status, run.key_ref) == ("failed", f"shared:{first.pk}")
    assert run.text == "So far so good"


async def test_a_gated_model_switches_no_key_off(asking: Asking, fake_provider: FakeProvider) -> None:
    await asking.keys(GOOD, OTHER)

    run = await asking.ask("error-403-gated")

    # Somebody else may have accepted its licence.
    assert tokens(fake_provider) == [GOOD, OTHER]
    assert (run.status, run.error_kind) == ("failed", "gated")
    assert await in_database(SharedKey.objects.filter(enabled=True).count) == 2
    assert not await in_database(Notice.objects.exists)


async def test_a_refusal_of_the_request_says_nothing_about_the_key(asking: Asking, fake_provider: FakeProvider) -> None:
    await asking.keys(GOOD, OTHER)

    run = await asking.ask("error-403-other")

    assert tokens(fake_provider) == [GOOD]
    assert (run.status, run.error_kind) == ("failed", "denied")
    assert await in_database(SharedKey.objects.filter(enabled=True).count) == 2


async def test_when_no_key_is_left_the_last_refusal_is_told(asking: Asking, fake_provider: FakeProvider) -> None:
    keys = await asking.keys(BAD, POOR)

    run = await asking.ask()

    assert tokens(fake_provider) == [BAD, POOR]
    assert (run.status, run.error_kind) == ("failed", "no_credit")
    assert run.error_sentence == f"The account behind {keys[1].display} is out of credit."
    assert run.key_label == keys[1].display


async def test_the_organisation_that_pays_is_that_of_the_key_that_serves(
    asking: Asking, fake_provider: FakeProvider
) -> None:
    await asking.keys(BAD, bill_to="lab-org")
    await in_database(make_shared_key, asking.endpoint, asking.alice, secret=GOOD)

    run = await asking.ask()

    sent = [{name.lower(): value for name, value in request.headers.items()} for request in fake_provider.chats]
    assert [headers.get("x-hf-bill-to") for headers in sent] == ["lab-org", None]
    assert "X-HF-Bill-To" not in run.wire_request.headers


async def test_a_key_that_died_in_the_queue_is_stood_in_for(asking: Asking, fake_provider: FakeProvider) -> None:
    first, second = await asking.keys(GOOD, OTHER)

    def send_and_switch_off() -> None:
        with transaction.atomic():
            actions.send_message(asking.alice, asking.chat, "Hi", list(Lane.objects.values_list("pk", flat=True)), "x")
            SharedKey.objects.filter(pk=first.pk).update(enabled=False)

    await in_database(send_and_switch_off)
    [run] = await asking.settled()

    assert tokens(fake_provider) == [OTHER]
    assert (run.status, run.key_ref) == ("done", f"shared:{second.pk}")


async def test_a_key_of_ones_own_is_not_stood_in_for(asking: Asking, fake_provider: FakeProvider) -> None:
    own = await in_database(make_personal_key, asking.alice, asking.endpoint, BAD)
    await asking.keys(GOOD)

    run = await asking.ask()

    assert tokens(fake_provider) == [BAD]
    assert (run.status, run.error_kind) == ("failed", "unauthorized")
    assert (await in_database(PersonalKey.objects.get, pk=own.pk)).check_passed is False


async def test_keys_of_others_do_not_stand_in(asking: Asking, fake_provider: FakeProvider) -> None:
    await asking.keys(BAD)
    other = (await asking.keys(GOOD))[0]
    await in_database(KeyGrant.objects.filter(shared_key=other).delete)

    run = await asking.ask()

    assert tokens(fake_provider) == [BAD]
    assert run.status == "failed"


async def test_a_refusal_of_a_secret_that_was_replaced_meanwhile_counts_for_nothing(
    asking: Asking, fake_provider: FakeProvider
) -> None:
    [key] = await asking.keys(BAD)
    await in_database(SharedKey.objects.update, given_at=timezone.now() + timedelta(minutes=1))

    await asking.ask()

    assert (await reread(key)).enabled


async def test_a_request_that_needs_no_key_has_none_to_refuse(
    asking: Asking, guarded: Endpoint, fake_provider: FakeProvider
) -> None:
    await in_database(Endpoint.objects.update, needs_key=False)

    run = await asking.ask("error-401")

    assert (run.status, run.key_ref) == ("failed", NONE)


async def test_use_of_a_key_is_noted_and_its_first_use_logged_once(asking: Asking) -> None:
    [key] = await asking.keys(GOOD)

    await asking.ask()
    await asking.ask()

    used = (await reread(key)).last_used_at
    assert used and timezone.now() - used < timedelta(minutes=1)
    assert await logged() == [("first used", key.display)]
    assert await in_database(lambda: AuditEntry.objects.get().actor_name) == "alice"
