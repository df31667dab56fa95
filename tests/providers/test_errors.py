"""The words for everything that can go wrong."""

import re
import string

import pytest

from chat.providers.errors import KINDS, Context, ProviderError, provider_error

REMEDIES = {
    "retry",
    "other_provider",
    "other_key",
    "shorten",
    "raise_limit",
    "wait",
    "drop_parameter",
    "accept_licence",
}
JARGON = re.compile(r"\b(HTTP|JSON|SSE|TCP|DNS|TLS|payload|token expired|null|undefined|exception|401|socket)\b", re.I)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_plain_sentence_and_known_remedies(kind: str) -> None:
    error = provider_error(kind)

    assert isinstance(error, KINDS[kind].family)
    assert error.sentence[0] in string.ascii_uppercase and error.sentence.endswith(".")
    assert not JARGON.search(error.sentence)
    assert "{" not in error.sentence
    assert set(error.remedies) <= REMEDIES


def test_sentence_names_the_key() -> None:
    assert (
        provider_error("no_credit", Context(key="Team key")).sentence == "The account behind Team key is out of credit."
    )
    assert provider_error("unauthorized", Context(key="team key")).sentence.startswith("Team key was not accepted.")


def test_missing_key_is_not_blamed() -> None:
    assert provider_error("unauthorized").sentence.startswith("This model needs a key.")


def test_sentence_quotes_the_provider_in_one_line() -> None:
    error = provider_error("bad_request", Context(detail="top_p  is\nwrong."))

    assert error.sentence == "The provider did not accept this request: top_p is wrong."


def test_braces_of_a_provider_are_only_text() -> None:
    assert "{key.secret}" in provider_error("bad_request", Context(detail="{key.secret}", key="K")).sentence


@pytest.mark.parametrize(
    ("wait", "words"), [(None, "in a moment"), (0.0, "in 1 s"), (20.4, "in 20 s"), (3600.0, "in 60 minutes")]
)
def test_sentence_says_how_long_to_wait(wait: float | None, words: str) -> None:
    assert words in provider_error("rate_limited", Context(retry_after=wait)).sentence
    assert words in provider_error("loading", Context(estimated_time=wait)).sentence


def test_named_parameter_can_be_dropped() -> None:
    error = provider_error("unknown_parameter", Context(parameter="top_k"))

    assert "“top_k”" in error.sentence
    assert error.remedies[0] == "drop_parameter"
    assert "drop_parameter" not in provider_error("bad_request").remedies


def test_long_answers_are_kept_by_their_beginning() -> None:
    error = ProviderError("bad_request", Context(raw="x" * 50_000, detail="y" * 5_000))

    assert (len(error.raw), len(error.detail)) == (20_000, 300)
    assert len(error.sentence) < 400


def test_only_what_may_pass_is_retried() -> None:
    assert provider_error("rate_limited").retryable
    assert not any(provider_error(kind).retryable for kind in ("unauthorized", "bad_request", "too_large", "stopped"))
