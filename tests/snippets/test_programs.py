"""A program that the product hands out asks exactly what the product itself asks, in every client's own words."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chat.providers.payload import OWN_HEADERS, wire_request
from chat.providers.requests import EndpointKind, Json, WireRequest
from chat.snippets.builder import Call, snippet
from chat.snippets.clients import CLIENTS, Client
from tests.fake_call import Recorded
from tests.fake_provider import FakeProvider
from tests.snippets.matrix import REQUESTS
from tests.snippets.programs import require, run

SECRET = "hf_good_of_a_program"
RUNNABLE = [client for client in CLIENTS if client.language != "R"]


def wires(provider: FakeProvider) -> dict[str, tuple[WireRequest, Call]]:
    found = {}
    for name, request in REQUESTS.items():
        wire = wire_request(replace(request, base_url=provider.base_url))
        keyless = request.kind == EndpointKind.LOCAL
        found[name] = (wire, Call.of(wire, request.kind, needs_key=not keyless))
    return found


def sent(wire: WireRequest, client: Client) -> dict[str, Any]:
    """The request as the product sends it: its body, and the headers that are not habit."""
    headers = {name.lower(): value for name, value in wire.headers.items() if OWN_HEADERS.get(name) != value}
    return {"path": "/v1/chat/completions", "body": _in_the_words_of(client, dict(wire.body)), "headers": headers}


def _in_the_words_of(client: Client, body: Json) -> Json:
    """What two libraries make of a body, whatever they are given; it means the same."""
    if client.slug == "huggingface_hub":
        if body.get("response_format", {}).get("type") == "json_schema":
            # As its program says.
            body["response_format"] = {"type": "json_object", "value": body["response_format"]["json_schema"]["schema"]}
        return {"messages": body.pop("messages"), **_without_null(body)}
    if client.slug == "litellm":
        body["messages"] = [_without_null(message) for message in body["messages"]]
        if body["stream"] is False:
            del body["stream"]
    return body


def _without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_null(below) for name, below in value.items() if below is not None}
    return [_without_null(below) for below in value] if isinstance(value, list) else value


def received(request: Recorded, names: Iterable[str]) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in request.headers.items() if name.lower() in names}
    return {"path": request.path, "body": request.body, "headers": headers}


@pytest.mark.parametrize("client", RUNNABLE, ids=lambda client: client.slug)
async def test_program_asks_what_the_product_asks(client: Client, tmp_path: Path) -> None:
    require(client)
    async with FakeProvider() as provider:
        calls = wires(provider)
        programs = [snippet(call, client).code for _, call in calls.values()]
        variables = {"HF_TOKEN": SECRET, "API_KEY": SECRET}

        results = await run(client, programs, variables, tmp_path)

        assert {name: ran.failure for name, ran in zip(calls, results, strict=True) if ran.failure} == {}
        pairs = list(zip(calls.items(), provider.chats, strict=True))
        differing = {}
        for (name, (wire, _)), request in pairs:
            asked = sent(wire, client)
            if (arrived := received(request, asked["headers"])) != asked:
                differing[name] = (arrived, asked)
        assert differing == {}
        for (_, (_, call)), request in pairs:
            if call.variable:
                assert request.headers["Authorization"] == f"Bearer {SECRET}"
        assert all(ran.printed.strip() for ran in results)


def test_matrix_has_at_least_forty_requests() -> None:
    assert len(REQUESTS) >= 40


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.slug)
@pytest.mark.parametrize("name", REQUESTS)
def test_program_names_the_key_and_never_holds_one(client: Client, name: str, settings: Any) -> None:
    settings.HF_TOKEN = SECRET
    wire = wire_request(replace(REQUESTS[name], base_url="https://router.huggingface.co/v1"))

    code = snippet(Call.of(wire, REQUESTS[name].kind, needs_key=True), client).code

    assert SECRET not in code
    assert ("HF_TOKEN" if REQUESTS[name].kind == EndpointKind.ROUTER else "API_KEY") in code
