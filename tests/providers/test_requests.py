"""URLs, headers and the stored form of a request."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.providers.headers import header_problem, kept_headers
from chat.providers.requests import Timeouts, WireRequest, chat_url, models_url


@pytest.mark.parametrize(
    ("base", "chat", "models"),
    [
        ("https://h/v1", "https://h/v1/chat/completions", "https://h/v1/models"),
        ("https://h/v1/", "https://h/v1/chat/completions", "https://h/v1/models"),
        ("https://h", "https://h/v1/chat/completions", "https://h/v1/models"),
        ("https://h/", "https://h/v1/chat/completions", "https://h/v1/models"),
        ("https://h/openai", "https://h/openai/v1/chat/completions", "https://h/openai/v1/models"),
        ("https://h/v1/chat/completions", "https://h/v1/chat/completions", "https://h/v1/models"),
        (
            "https://h/api/paas/v4/chat/completions/",
            "https://h/api/paas/v4/chat/completions",
            "https://h/api/paas/v4/models",
        ),
        ("https://h:8/v1?version=2#x", "https://h:8/v1/chat/completions?version=2", "https://h:8/v1/models?version=2"),
    ],
)
def test_base_url_leads_to_chat_and_models(base: str, chat: str, models: str) -> None:
    assert (chat_url(base), models_url(base)) == (chat, models)


bodies = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=8),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
)


@given(bodies)
def test_stored_request_is_the_same_again_with_its_keys_in_order(body: dict[str, object]) -> None:
    wire = WireRequest("https://h/v1", {"A": "b"}, {"zeta": 1, **body}, Timeouts(1, 2, 3))

    again = WireRequest.from_json(wire.to_json())

    assert again == wire
    assert list(again.body) == list(wire.body)
    assert again.content() == wire.content()


def test_content_begins_with_the_model_and_keeps_characters() -> None:
    wire = WireRequest("https://h", {}, {"model": "a/b", "messages": [{"role": "user", "content": "Grüße 👩‍🚀"}]})

    assert wire.content().startswith(b'{"model":"a/b","messages":')
    assert json.loads(wire.content())["messages"][0]["content"] == "Grüße 👩‍🚀"


def test_half_a_character_does_not_stop_a_request() -> None:
    assert json.loads(WireRequest("https://h", {}, {"model": "a\ud83d"}).content()) == {"model": "a?"}


@pytest.mark.parametrize(
    "name",
    ["Authorization", "COOKIE", "host", "Content-Length", "transfer-encoding", "Connection", "Proxy-x", "X-HF-Bill-To"],
)
def test_headers_that_are_ours_are_refused(name: str) -> None:
    assert header_problem(name, "x") == "is set by the playground itself"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "x"),
        ("a b", "x"),
        ("a:", "x"),
        ("ä", "x"),
        ("a\n", "x"),
        ("X", "a\r\nHost: b"),
        ("X", "ä"),
        ("X", "\x00"),
        ("X", " a"),
    ],
)
def test_headers_that_could_not_be_sent_are_refused(name: str, value: str) -> None:
    assert header_problem(name, value)


@pytest.mark.parametrize(("name", "value"), [("X-Use-Cache", "false"), ("User-Agent", "me (a; b)"), ("X-Empty", "")])
def test_other_headers_are_fine(name: str, value: str) -> None:
    assert header_problem(name, value) == ""


def test_only_useful_headers_of_an_answer_are_kept() -> None:
    found = kept_headers(
        [("X-Inference-Provider", "groq"), ("Set-Cookie", "a"), ("x-compute-time", "1" * 1000), ("RateLimit", "r=1")]
    )

    assert found == {"x-inference-provider": "groq", "x-compute-time": "1" * 300, "ratelimit": "r=1"}
    assert len(kept_headers((f"x-ratelimit-{number}", "1") for number in range(1000))) == 40
