"""Only the Hub is asked, only about its own tokens, and every way it can fail has words."""

import socket

import pytest
from django.conf import LazySettings

from chat.catalogue.models import Endpoint
from chat.keys.check import CheckReport, Outcome, check_secret, token_page
from tests.keys.hub import Hub, whoami

ROUTER = Endpoint(kind=Endpoint.Kind.ROUTER, base_url="https://router.huggingface.co/v1")
DEDICATED = Endpoint(kind=Endpoint.Kind.INFERENCE_ENDPOINT, base_url="https://x.endpoints.huggingface.cloud")
OTHER = Endpoint(kind=Endpoint.Kind.OPENAI, base_url="https://other.example/v1")
TOKEN = "hf_canary_of_the_check_0123"


def test_a_good_token_is_asked_about_once(hub: Hub) -> None:
    hub.says[TOKEN] = whoami()

    report = check_secret(TOKEN, ROUTER)

    assert report.passed
    assert hub.seen == [TOKEN]


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        ((401, {"error": "Invalid credentials"}), Outcome.REFUSED, "does not know this token"),
        ((429, {"error": "slow down"}), Outcome.UNCHECKED, "asked too often"),
        ((500, b"<html>oops</html>"), Outcome.UNCHECKED, "did not answer"),
        ((302, b""), Outcome.UNCHECKED, "did not answer"),
        ((200, b"not json"), Outcome.UNCHECKED, "did not answer"),
        ((200, b""), Outcome.UNCHECKED, "did not answer"),
    ],
)
def test_each_answer_has_words(hub: Hub, answer: tuple[int, object], outcome: Outcome, words: str) -> None:
    hub.says[TOKEN] = answer

    report = check_secret(TOKEN, ROUTER)

    assert report.outcome is outcome
    assert words in report.sentence
    assert "canary" not in repr(report)


def test_a_hub_that_is_down_leaves_the_token_unchecked(settings: LazySettings) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings.HF_HUB_URL = f"http://127.0.0.1:{free.getsockname()[1]}"

    report = check_secret(TOKEN, ROUTER)

    assert report.outcome is Outcome.UNCHECKED
    assert report.sentence.startswith("Not checked: Hugging Face did not answer.")


def test_a_hub_that_quotes_the_token_back_puts_it_into_no_report(hub: Hub) -> None:
    hub.says[TOKEN] = (400, {"error": f"bad token {TOKEN}"})

    assert "canary" not in repr(check_secret(TOKEN, ROUTER))


def test_keys_of_other_servers_are_shown_to_nobody(hub: Hub) -> None:
    reports = [check_secret(TOKEN, OTHER), check_secret("sk-canary-of-somebody", DEDICATED)]

    assert [report.passed for report in reports] == [None, None]
    assert all(report.sentence.startswith("Not checked:") for report in reports)
    assert hub.seen == []


def test_the_page_that_makes_a_token_asks_for_the_right_that_is_needed(settings: LazySettings) -> None:
    settings.HF_HUB_URL = "https://huggingface.co"

    assert token_page(ROUTER) == (
        "https://huggingface.co/settings/tokens/new?ownUserPermissions=inference.serverless.write&tokenType=fineGrained"
    )
    assert "inference.endpoints.infer.write" in token_page(DEDICATED)
    assert token_page(OTHER) == ""


@pytest.mark.parametrize(
    ("outcome", "passed"),
    [("works", True), ("lacks_rights", False), ("refused", False), ("accepted", None), ("unchecked", None)],
)
def test_only_a_clear_answer_counts_as_one(outcome: str, passed: bool | None) -> None:
    assert CheckReport(Outcome(outcome), "").passed is passed
