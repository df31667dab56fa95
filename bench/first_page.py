"""The first page a signed-in person loads, with an empty cache: what comes over the wire, and from where."""

import json
from collections import Counter
from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, Page

from bench import processes
from bench.browser import signed_in
from bench.report import Figure

MOST_KILOBYTES = 60


class Wire:
    """Bytes of each response with its headers, as they came: compressed. Sockets are not counted, only their host."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.sizes: Counter[str] = Counter()
        self.kinds: dict[str, str] = {}
        self.hosts: set[str] = set()
        self._urls: dict[str, str] = {}
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("websocket", lambda socket: self.hosts.add(urlsplit(socket.url).netloc))
        session.on("Network.responseReceived", self._note)
        session.on("Network.loadingFinished", self._count)
        session.send("Network.enable")

    def _note(self, event: dict[str, object]) -> None:
        response = event["response"]
        assert isinstance(response, dict)
        self._urls[str(event["requestId"])] = response["url"]
        self.kinds[response["url"]] = str(event["type"]).lower()

    def _count(self, event: dict[str, object]) -> None:
        if url := self._urls.get(str(event["requestId"])):
            self.sizes[url] += int(str(event["encodedDataLength"]).partition(".")[0])


def measure() -> list[Figure]:
    with processes.playground() as server:
        program = "from bench.seed import say, person, session_of; say(session_of(person('bench')))"
        with signed_in(server.url, json.loads(server.run(program))) as context:
            page = context.new_page()
            wire = Wire(page, context.new_cdp_session(page))
            page.goto(server.url, wait_until="networkidle")
            page.wait_for_timeout(500)
    by_kind: Counter[str] = Counter()
    for url, size in wire.sizes.items():
        by_kind[wire.kinds[url]] += size
    elsewhere = wire.hosts - {urlsplit(server.url).netloc, ""}
    return [
        *(Figure("first page", kind, size / 1000, "kB") for kind, size in by_kind.most_common()),
        Figure("first page", "requests", len(wire.sizes)),
        Figure("first page", "all, compressed", sum(by_kind.values()) / 1000, "kB", MOST_KILOBYTES),
        Figure("first page", "hosts beyond the server", len(elsewhere), at_most=0),
    ]
