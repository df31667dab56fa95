"""Administrators who look at no page are told by mail and by a signed request, over real sockets, until it arrives."""

import asyncio
import json
import socketserver
import time
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from chat.database import in_database
from chat.notices.actions import Kind, tell
from chat.notices.models import Delivery
from chat.notices.outbox import run_forever
from chat.notices.sending import MOST_TRIES, pause_after, send_due, signature
from tests.factories import make_administrator, make_user
from tests.waiting import eventually

pytestmark = pytest.mark.django_db
SENTENCE = "Team key …ab12 was refused (401)."
SECRET = "canary-of-the-webhook"


class Receiver:
    """A web server that keeps what is posted to it and answers with ``status``."""

    def __init__(self) -> None:
        self.status, self.heard = 204, []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append((self.headers, body))
                self.send_response(receiver.status)
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook?of=us"
        Thread(target=self.server.serve_forever, daemon=True).start()

    heard: list[tuple[Message, bytes]]


class Postman(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a delivery needs."""

    def handle(self) -> None:
        mails: list[tuple[list[str], str]] = self.server.mails  # type: ignore[attr-defined]
        people: list[str] = []
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            word = line[:4].upper()
            if word == "DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                mails.append((people, b"".join(lines).decode()))
                people = []
            elif word == "RCPT":
                people.append(line.partition("<")[2].rstrip(">"))
            self.say("221 bye" if word == "QUIT" else "250 ok")
            if word == "QUIT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[Receiver]:
    receiver = Receiver()
    settings.WEBHOOK_URL, settings.WEBHOOK_SECRET = receiver.url, SECRET
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture
def mails(settings: LazySettings) -> Iterator[list[tuple[list[str], str]]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Postman) as server:
        server.mails = []  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.server_address[1]
        yield server.mails  # type: ignore[attr-defined]
        server.shutdown()


def make_due() -> None:
    Delivery.objects.update(due_at=timezone.now())


def test_with_nothing_set_up_nothing_waits_to_be_sent() -> None:
    tell(Kind.KEY_DIED, "shared:1", SENTENCE)

    assert not Delivery.objects.exists()


def test_a_receiver_hears_it_once_and_can_tell_who_said_it(receiver: Receiver, settings: LazySettings) -> None:
    tell(Kind.KEY_DIED, "shared:1", SENTENCE, address="/admin/chat/sharedkey/1/change/")
    tell(Kind.KEY_DIED, "shared:1", SENTENCE)

    sent = [send_due(), send_due()]

    [(headers, body)] = receiver.heard
    told = json.loads(body)
    assert sent == [1, 0]
    assert (told["kind"], told["sentence"]) == ("key_died", SENTENCE)
    assert told["url"] == f"{settings.PUBLIC_URL}/admin/chat/sharedkey/1/change/"
    assert headers["X-Playground-Signature"] == signature(SECRET, headers["X-Playground-Timestamp"], body)
    assert abs(time.time() - int(headers["X-Playground-Timestamp"])) < 60
    assert SECRET not in str(headers) + body.decode()


def test_a_signature_is_of_the_secret_the_time_and_the_body() -> None:
    one = signature(SECRET, "1", b"{}")

    others = {signature("other", "1", b"{}"), signature(SECRET, "2", b"{}"), signature(SECRET, "1", b"{ }")}
    assert len({one, *others}) == 4
    # Computed with OpenSSL: printf '1.{}' | openssl dgst -sha256 -hmac canary-of-the-webhook
    assert one == "sha256=40cc15ad730fbbdc37f044a18c123ac68145bea16fa90d0f1108923050a8ddd2"


@pytest.mark.parametrize("status", [500, 404, 302])
def test_whoever_refuses_is_asked_again_later(receiver: Receiver, status: int) -> None:
    tell(Kind.KEY_DIED, "shared:1", SENTENCE)
    receiver.status = status

    at_once = [send_due(), send_due()]
    waiting = Delivery.objects.get()
    receiver.status = 200
    make_due()
    later = send_due()

    assert (at_once, len(receiver.heard), later) == ([0, 0], 2, 1)
    assert waiting.trouble and waiting.due_at > timezone.now() + timedelta(seconds=20)
    assert Delivery.objects.get().finished_at


def test_nobody_there_is_no_end_of_it(receiver: Receiver, settings: LazySettings) -> None:
    settings.WEBHOOK_URL = "http://127.0.0.1:9/"
    tell(Kind.KEY_DIED, "shared:1", SENTENCE)

    for _ in range(MOST_TRIES + 3):
        send_due()
        make_due()

    assert (Delivery.objects.get().tries, Delivery.objects.get().finished_at is None) == (MOST_TRIES, False)


def test_pauses_grow_to_an_hour() -> None:
    pauses = [pause_after(tries).total_seconds() for tries in range(1, MOST_TRIES)]

    assert pauses[:4] == [30, 60, 120, 240] and pauses[-1] == 3600
    assert pauses == sorted(pauses)


def test_administrators_are_mailed_each_for_themselves(mails: list[tuple[list[str], str]]) -> None:
    make_administrator("ada", email="ada@example.com")
    make_administrator("olga", email="olga@example.com")
    make_administrator("mute")
    make_administrator("gone", email="gone@example.com", is_active=False)
    make_user("alice", email="alice@example.com")
    tell(Kind.REQUEST, "request:1", "Anna asks\r\nBcc: evil@example.com", address="/admin/")

    assert send_due() == 1

    assert sorted(people for people, _ in mails) == [["ada@example.com"], ["olga@example.com"]]
    subject = next(line for line in mails[0][1].splitlines() if line.startswith("Subject:"))
    assert subject == "Subject: Playground: Anna asks Bcc: evil@example.com"
    assert "/admin/" in mails[0][1]


def test_a_mail_server_that_is_away_is_asked_again(mails: list[tuple[list[str], str]], settings: LazySettings) -> None:
    make_administrator("ada", email="ada@example.com")
    there, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    tell(Kind.KEY_DIED, "shared:1", SENTENCE)
    failed = send_due()
    settings.EMAIL_PORT = there
    make_due()

    assert (failed, send_due(), len(mails)) == (0, 1, 1)


def test_what_happened_to_it_is_shown_to_administrators(client: Client, receiver: Receiver) -> None:
    client.force_login(make_administrator())
    receiver.status = 500
    tell(Kind.KEY_DIED, "shared:1", SENTENCE)
    send_due()

    page = client.get("/admin/chat/notice/").content.decode()

    assert "Webhook: " in page and SECRET not in page


def test_no_mail_lets_anybody_in(client: Client, mails: list[tuple[list[str], str]]) -> None:
    make_user("alice", email="alice@example.com")

    client.post("/accounts/password/reset/", {"email": "alice@example.com"})

    assert mails == []


@pytest.mark.django_db(transaction=True)
async def test_it_is_sent_while_the_playground_serves(receiver: Receiver) -> None:
    await in_database(tell, Kind.KEY_DIED, "shared:1", SENTENCE)

    task = asyncio.create_task(run_forever())
    await eventually(lambda: len(receiver.heard) == 1)
    task.cancel()
