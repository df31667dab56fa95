"""Secrets that this server makes or is given: they stay out of rows and logs, also where things fail."""

import io
import json
import logging
from collections.abc import Iterator
from logging.config import DictConfigurator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from chat.accounts.actions import create_invitation, create_signin_link
from chat.accounts.models import User
from chat.catalogue.actions import ensure_endpoints
from chat.catalogue.models import Endpoint
from chat.conversations import actions
from chat.conversations.models import Lane, Message
from chat.database import in_database
from chat.local import supervisor as local_model
from chat.providers.client import stream_chat
from chat.providers.credential import Credential
from chat.providers.events import ResponseStarted
from chat.providers.payload import wire_request
from chat.providers.reach import Reach
from chat.providers.requests import ChatRequest, EndpointKind
from tests.conversations.conftest import Settled
from tests.factories import make_conversation, make_local_endpoint
from tests.fake_provider import FakeProvider
from tests.security.conftest import SAID, Belongings
from tests.security.test_every_address import rows

SECRET = "hf_canaryCANARYcanaryCANARY9876"
PATH = "secretPATHsecretPATHsecretPATH"


@pytest.fixture(params=["line", "json"])
def log(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What the log would say, written as the settings have it written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    logging_settings: dict[str, Any] = django_settings.LOGGING
    described = logging_settings["formatters"][request.param]
    handler.setFormatter(DictConfigurator({"version": 1}).configure_formatter(described))
    loggers = [logging.getLogger(), logging.getLogger("django")]
    for logger in loggers:
        logger.addHandler(handler)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["in", "join"])
def test_a_refused_form_does_not_write_a_links_secret_to_the_log(kind: str, alice: User, log: io.StringIO) -> None:
    _, token = create_signin_link(alice) if kind == "in" else create_invitation(alice)
    browser = Client(enforce_csrf_checks=True)

    answer = browser.post(f"/{kind}/{token}/")

    assert answer.status_code == 403
    assert f"/{kind}/" in log.getvalue() and token not in log.getvalue()


def test_secrets_in_what_others_log_are_hidden(log: io.StringIO, settings: Any) -> None:
    settings.HF_TOKEN = "a-token-of-another-make"
    settings.METRICS_TOKEN = 'one with a quote " and a letter é'
    hidden = [settings.HF_TOKEN, settings.METRICS_TOKEN, SECRET, settings.SECRET_KEY, settings.ENCRYPTION_KEYS[0]]

    try:
        raise ValueError(" ".join(hidden))
    except ValueError:
        logging.getLogger("chat").exception("Seen with %s.", SECRET)

    said = log.getvalue()
    assert "Seen with" in said and "ValueError" in said
    assert not any(secret in said or json.dumps(secret)[1:-1] in said for secret in hidden)


@pytest.mark.django_db
def test_pages_that_fail_do_not_log_what_was_written(hers: Belongings, log: io.StringIO) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(hers.owner)
    Message.objects.filter(pk=hers.question.pk).update(parts=[{"type": "text"}])

    answer = browser.get(f"/c/{hers.chat.pk}/")
    sent = browser.post(f"/c/{hers.chat.pk}/send/", {"text": SAID, "lanes": hers.lane.pk, "client_id": "x"})

    assert (answer.status_code, sent.status_code) == (500, 500)
    assert "KeyError" in log.getvalue() and SAID not in log.getvalue()


@pytest.fixture
def secret_address(fake_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch) -> str:
    """The local model runs, at an address that holds a secret."""
    supervisor = local_model.Supervisor((), "tiny")
    address = f"{fake_provider.base_url.removesuffix('/v1')}/{PATH}/v1"
    supervisor._become(local_model.State.READY, base_url=address, context_length=4096)
    monkeypatch.setattr(local_model, "_supervisor", supervisor)
    return address


async def test_the_local_models_secret_is_in_the_request_and_nowhere_else(
    alice: User, engine: None, secret_address: str, fake_provider: FakeProvider, settled: Settled, log: io.StringIO
) -> None:
    endpoint = await in_database(make_local_endpoint)
    await in_database(ensure_endpoints)
    await in_database(Endpoint.objects.update, enabled=True)
    chat = await in_database(lambda: make_conversation(alice, "tiny", endpoint=endpoint))
    lane = await in_database(Lane.objects.get)

    await in_database(actions.send_message, alice, chat, "Hi", [lane.pk], "x")
    [run] = await settled()

    assert [PATH in request.path for request in fake_provider.requests] == [True]
    assert run.status == "done"
    assert PATH not in str(await in_database(rows)) and PATH not in log.getvalue()
    assert PATH not in repr(local_model.status())


async def test_a_key_that_comes_back_in_a_header_is_not_kept(fake_provider: FakeProvider) -> None:
    fake_provider.extra_headers = {"X-Request-Id": f"for {SECRET}", "X-Inference-Provider": SECRET}
    key = Credential(SECRET, fake_provider.base_url.split("/")[2], "Team key", "9876")
    asked = ChatRequest(EndpointKind.OPENAI, fake_provider.base_url, "fake/plain", (), {}, {}, {})

    async with stream_chat(wire_request(asked), key, reach=Reach.PRIVATE) as events:
        first = [event async for event in events][0]

    assert isinstance(first, ResponseStarted)
    assert SECRET not in str(first)
    assert first.headers["x-request-id"].endswith("for •••")
