"""Extra headers and extra body fields cannot take a key elsewhere, nor put another in its place."""

import pytest

from chat.providers.credential import Credential
from tests.fake_provider import FakeProvider
from tests.providers.conftest import collect, question


@pytest.mark.parametrize("typed", ["X-Api-Key", "x-api-key", "X-API-KEY"])
async def test_a_person_cannot_put_a_header_in_the_place_of_the_keys(fake_provider: FakeProvider, typed: str) -> None:
    named = (("X-Api-Key", "the-one-of-the-team"),)
    key = Credential("", f"127.0.0.1:{fake_provider.port}", "Team key", "team", named=named)

    await collect(question(fake_provider.base_url, extra_headers={typed: "one-of-a-person"}), key)

    [asked] = fake_provider.chats
    sent = [value for name, value in asked.headers.items() if name.lower() == "x-api-key"]
    assert sent == ["the-one-of-the-team"]


@pytest.mark.parametrize(
    "name", ["model", "api_base", "base_url", "api_key", "fallbacks", "models", "extra_headers", "user_config"]
)
def test_fields_that_send_a_gateway_and_its_key_elsewhere_are_reserved(name: str) -> None:
    with pytest.raises(ValueError, match=f"reserved in extra body fields: {name}"):
        question("https://host.example/v1", extra_body={name: "https://evil.example"})


@pytest.mark.parametrize("name", ["Authorization", "Host", "Cookie", "X-Forwarded-Host", "Forwarded", "Proxy-X"])
def test_headers_that_say_who_asks_or_where_are_reserved(name: str) -> None:
    with pytest.raises(ValueError, match="is set by the playground itself"):
        question("https://host.example/v1", extra_headers={name: "evil.example"})
