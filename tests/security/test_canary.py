"""Two keys, a token and a header, go through every answer and refusal of a provider that repeats all it is sent.

The whole is the real process with its log, its sockets, its pages, its files and its database: none of them has either.
"""

import html
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.fake_answers import ERRORS
from tests.fake_call import SCENARIOS
from tests.live_page import live_page
from tests.playground_process import PlaygroundProcess
from tests.served_provider import ServedProvider
from tests.waiting import eventually

TOKEN = "cnry-TOKENtokenTOKENtoken-7781"
HEADER = 'cnry-HEADER"header"HEADERheader-7782'
# Of both, and of what one would call a piece of them.
TRACES = ("TOKENtoken", "HEADERheader", 'HEADER\\"header')
METRICS_TOKEN = "token-of-prometheus"
# They wait for what does not come, or fill the memory: what they say is said by others too.
PATIENT = {name for name in SCENARIOS if name.startswith("stall-")} | {"slow", "paced", "gated", "musing", "long"}
HUGE = {"flood", "one-50mb-line", "trickle"}
PLAYED = sorted({*SCENARIOS, *(f"error-{name}" for name in ERRORS)} - PATIENT - HUGE)
# For keys that others rely on: what they are switched off, parked and rested by.
SHARED = ["plain", "repeats-headers", "error-429-ratelimit", "error-402", "error-401"]
SEED = """
import json
from chat.keys.actions import store_shared_key
from chat.models import *
from tests.factories import *
facts = json.loads(FACTS)
ada = User.objects.get(username="admin")
endpoints = [make_endpoint(name, kind="openai", base_url=facts["url"]) for name in ("bearer", "headers")]
for endpoint, secret, carried in zip(endpoints, facts["secrets"], ("bearer", "headers")):
    make_personal_key(ada, endpoint, secret, carried=carried)
    key = SharedKey(endpoint=endpoint, label="Team key")
    store_shared_key(key, secret, carried)
    KeyGrant.objects.create(shared_key=key, user=ada)
chats = []
for kind, rows in (("personal", PersonalKey), ("shared", SharedKey)):
    for scenario in facts[kind]:
        chat = Conversation.objects.create(owner=ada, title=scenario)
        for position, endpoint in enumerate(endpoints):
            ref = f"{kind}:{rows.objects.get(endpoint=endpoint).pk}"
            asked = {"model_id": f"fake/{scenario}", "key_ref": ref, "parameters": {"logprobs": True}}
            Lane.objects.create(conversation=chat, position=position, endpoint=endpoint, **asked)
        chats.append([str(chat.pk), list(chat.lanes.values_list("pk", flat=True)), scenario])
print(json.dumps(chats))
"""
STATE = """
import json
from collections import Counter
from chat.models import *
from tests.keys.test_secrecy import everything_stored
stored = everything_stored()
print(json.dumps({
    "traces": [trace for trace in %r if trace in stored],
    "statuses": Counter(Run.objects.values_list("status", flat=True)),
    "verbs": sorted(set(AuditEntry.objects.values_list("verb", flat=True))),
    "hidden": "•••" in "".join(Run.objects.values_list("text", flat=True)),
    "kinds": sorted(set(Run.objects.values_list("error_kind", flat=True))),
}))
"""


@pytest.fixture
def provider() -> Iterator[ServedProvider]:
    with ServedProvider() as provider:
        yield provider


@asynccontextmanager
async def served(provider: ServedProvider, data_dir: Path) -> AsyncIterator[PlaygroundProcess]:
    hub = provider.base_url.removesuffix("/v1")
    environment = {
        "HF_ROUTER_URL": provider.base_url,
        "HF_HUB_URL": hub,
        "LOG_REQUESTS": "on",
        "MAX_ACTIVE_RUNS": "500",
    }
    with PlaygroundProcess(data_dir, METRICS_TOKEN=METRICS_TOKEN, HF_TOKEN="", **environment) as server:
        yield server


async def test_a_key_is_in_nothing_that_anybody_can_see(provider: ServedProvider, tmp_path: Path) -> None:
    async with served(provider, tmp_path) as server:
        facts = {"secrets": [TOKEN, f"X-Api-Key: {HEADER}"], "personal": PLAYED, "shared": SHARED}
        seed = SEED.replace("FACTS", repr(json.dumps({"url": provider.base_url, **facts})))
        chats = json.loads(server.run(seed))
        with server.signed_in() as browser:
            frames = ""
            for number, (chat, lanes, scenario) in enumerate(chats):
                provider.control(repeats=scenario != "repeats-headers")
                if scenario == "error-401":
                    server.run("from chat.models import SharedKey; SharedKey.objects.update(parked_until=None)")
                frames += await conversation(server, browser, chat, lanes, f"Question {number}")
            check_keys(browser)
            pages = dict(crawl(browser, [f"/c/{chat}/" for chat, _, _ in chats]))
        metrics = httpx.get(f"{server.url}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).text
        state = json.loads(server.run(STATE % (TRACES,)))
        said = server.said()

    sent = str(provider.chats())
    assert TOKEN in sent and HEADER in sent
    assert state["statuses"].keys() >= {"done", "failed"} and len(state["kinds"]) > 15, state
    assert {"disabled", "parked", "cooled down", "first used"} <= set(state["verbs"])
    assert state["hidden"] and "•••" in html.unescape(frames)
    assert len(pages) > 100 and sum("/csv/" in path for path in pages) > 1
    assert "upstream_errors" in metrics and "Run ended." in said
    assert any(path.endswith("/history/") for path in pages)
    leaks = [path for path, text in pages.items() if traces_in(text)]
    assert not leaks
    assert (traces_in(frames), state["traces"], traces_in(metrics), traces_in(said)) == ([], [], [], [])
    files = [path for path in tmp_path.rglob("*") if path.is_file() and traces_in(path.read_bytes().decode("latin-1"))]
    assert not files


async def conversation(server: PlaygroundProcess, browser: httpx.Client, chat: str, lanes: list[int], text: str) -> str:
    """Ask in all lanes; all frames that came until every answer had ended."""
    async with live_page(server.url, browser.cookies["playground_session"], chat) as page:
        await page.say("send", text=text, client_id=text, lanes=[str(lane) for lane in lanes])
        await eventually(lambda: len(ended(page.seen)) == len(lanes), 30)
        return page.seen


def ended(seen: str) -> set[str]:
    """The answers that a frame showed in their last state."""
    return set(re.findall(r'data-status="(?:done|failed|stopped|interrupted)" data-status-of="(message-\d+)"', seen))


def check_keys(browser: httpx.Client) -> None:
    """Press every button that asks the provider about a key."""
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get("/keys/").text)[0]
    for number in (1, 2):
        browser.post(f"/keys/{number}/check/", data={"csrfmiddlewaretoken": token})
    fields = {"csrfmiddlewaretoken": token, "action": "check_now", "_selected_action": ["1", "2"]}
    browser.post("/admin/chat/sharedkey/", data=fields)
    for given in ({"secret": TOKEN}, {"headers": f"X-Api-Key: {HEADER}"}, {"secret": f"{TOKEN} {HEADER}"}):
        fields = {"csrfmiddlewaretoken": token, "label": "", "endpoint": "1", **given}
        assert not traces_in(browser.post("/admin/chat/sharedkey/add/", data=fields).text)


def crawl(browser: httpx.Client, chats: list[str]) -> Iterator[tuple[str, str]]:
    """Every page that a link leads to from the pages of an administrator, by its path."""
    waiting, seen = ["/", "/keys/", "/usage/", "/models/", "/settings/", "/admin/", *chats], set()
    kinds: dict[str, int] = {}
    while waiting:
        path = waiting.pop(0)
        # Lists that are sorted and filtered in every way say the same again.
        kind = re.sub(r"\d+|[0-9a-f-]{36}", "#", path.partition("?")[0])
        kinds[kind] = kinds.get(kind, 0) + 1
        if path in seen or "logout" in path or kinds[kind] > (len(chats) if kind == "/c/#/" else 6):
            continue
        seen.add(path)
        answer = browser.get(path)
        yield path, answer.text + str(answer.headers)
        found = re.findall(r'(?:href|hx-get|data-href)="(/(?!/|static/)[^"#]*)', answer.text)
        waiting += [html.unescape(path) for path in found]


def traces_in(text: str) -> list[str]:
    """Which of the two is in a text, plain or as markup, JSON and addresses spell it."""
    plain = html.unescape(text)
    return [trace for trace in TRACES if trace in plain or trace in text or quote(trace) in text]
