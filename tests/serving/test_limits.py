"""Many people in several processes at once: no more is admitted than a limit allows, to the last token."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.playground_process import PlaygroundProcess

PROCESSES, PEOPLE, SENDS, ROOM = 4, 20, 200, 50
# One of two limits has room for so many; the other, of each person alone, never comes into it.
SEED = """
import json
from django.core.management import call_command
call_command("migrate", verbosity=0)
from chat.catalogue.models import Endpoint
from chat.keys.limits import Limit
from chat.keys.models import KeyGrant
from chat.models import Lane
from tests.factories import make_conversation, make_endpoint, make_shared_key, make_user
endpoint = make_endpoint("fake", kind="openai", base_url="http://127.0.0.1:9/v1")
grant = KeyGrant.objects.create(shared_key=make_shared_key(endpoint), everyone=True)
Limit.objects.create(grant=grant, each_person=True, measure="tokens_day", at_most=10_000_000)
Limit.objects.create(grant=grant, each_person=False, measure="{measure}", at_most={at_most})
people = [make_user(f"person{{number}}", password=None) for number in range({people})]
chats = [make_conversation(people[number % {people}], "fake/plain", endpoint=endpoint) for number in range({sends})]
Lane.objects.update(parameters={{"max_tokens": 100}})
print(json.dumps([str(chat.pk) for chat in chats]))
"""
# Each process sends its share from as many threads as those that serve have for it, once all of them are up.
SEND = """
import json, time
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
from chat.conversations.actions import send_message
from chat.conversations.errors import OverLimit
from chat.database import THREADS
from chat.models import Conversation
def send(pk):
    try:
        chat = Conversation.objects.select_related("owner").get(pk=pk)
        send_message(chat.owner, chat, "Hello there", [], pk)
    except OverLimit:
        return 0
    finally:
        connection.close()
    return 1
chats = {chats}
time.sleep(max(0.0, {start} - time.time()))
with ThreadPoolExecutor(THREADS[connection.vendor]) as pool:
    print(json.dumps(sum(pool.map(send, chats))))
"""
STATE = """
import json
from django.db.models import Sum
from chat.keys.limits import Reservation, Tally
from chat.models import Run
together = Tally.objects.get(person=None)
reserved = Reservation.objects.filter(tally=together).aggregate(sum=Sum("amount"))["sum"]
print(json.dumps([Run.objects.count(), float(together.reserved), float(reserved)]))
"""


@pytest.mark.parametrize("measure", ["tokens_day", "money_day"])
def test_two_hundred_sends_at_once_never_exceed_a_limit(tmp_path: Path, measure: str) -> None:
    # Noon there, so that no day ends meanwhile.
    zone = f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"
    each = 100 + -(-len("rolecontentuser" + "Hello there") // 3) + 4
    amount = each if measure == "tokens_day" else each / 100_000
    servers = [PlaygroundProcess(tmp_path, TIME_ZONE=zone, ASSUMED_PRICE="10") for _ in range(PROCESSES)]
    room = ROOM * amount + amount * 0.9
    chats = json.loads(servers[0].run(SEED.format(measure=measure, at_most=room, people=PEOPLE, sends=SENDS)))
    start = datetime.now(UTC).timestamp() + 12

    def send(number: int) -> int:
        program = SEND.format(chats=chats[number::PROCESSES], start=start)
        return int(servers[number].run(program))

    with ThreadPoolExecutor(PROCESSES) as pool:
        admitted = list(pool.map(send, range(PROCESSES)))

    runs, reserved, kept = json.loads(servers[0].run(STATE))
    assert (sum(admitted), runs) == (ROOM, ROOM), f"{reserved} of {room} reserved"
    assert reserved == pytest.approx(ROOM * amount) == kept
    assert reserved <= room
