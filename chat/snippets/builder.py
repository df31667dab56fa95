"""Writes a request as a program: the values of the wire, in the words of each client.

The key is never in it: programs read it from the environment, under the name that goes with the endpoint.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from django.template.loader import render_to_string

from chat.providers.payload import BILL_TO, OWN_HEADERS
from chat.providers.requests import EndpointKind, Json, WireRequest
from chat.snippets import literals
from chat.snippets.clients import CLIENTS, Client

_COMPLETIONS = "/chat/completions"


@dataclass(frozen=True, slots=True)
class Call:
    """What a program has to say. ``variable`` is the environment's name for the key; "" where none is needed."""

    wire: WireRequest
    variable: str

    @classmethod
    def of(cls, wire: WireRequest, kind: EndpointKind, needs_key: bool) -> "Call":
        at_hugging_face = kind in (EndpointKind.ROUTER, EndpointKind.INFERENCE_ENDPOINT)
        return cls(wire, ("HF_TOKEN" if at_hugging_face else "API_KEY") if needs_key else "")

    @property
    def streams(self) -> bool:
        return bool(self.wire.body.get("stream"))

    def streaming(self, on: bool) -> "Call":
        """The same call with its answer at once or piece by piece."""
        body = {name: value for name, value in self.wire.body.items() if name not in ("stream", "stream_options")}
        body["stream"] = on
        if on:
            body["stream_options"] = self.wire.body.get("stream_options", {"include_usage": True})
        return replace(self, wire=replace(self.wire, body=body))


@dataclass(frozen=True, slots=True)
class Snippet:
    client: Client
    code: str


def snippet(call: Call, client: Client) -> Snippet:
    """The program for one client."""
    write = _WRITERS[client.language]
    text = render_to_string(f"chat/snippets/code/{client.slug}.txt", _context(call, client, write))
    return Snippet(client, text.strip() + "\n")


def snippets(call: Call) -> list[Snippet]:
    """The programs for all clients, in the order of their tabs."""
    return [snippet(call, client) for client in CLIENTS]


def _context(call: Call, client: Client, write: literals.Literal) -> dict[str, Any]:
    address = urlsplit(call.wire.url)
    base = urlunsplit(address._replace(path=address.path.removesuffix(_COMPLETIONS), query=""))
    headers = _extra_headers(call.wire.headers)
    others = {name: value for name, value in headers.items() if name != BILL_TO}
    body = call.wire.body
    named = {name: value for name, value in body.items() if client.named is None or name in client.named}
    extra = {name: value for name, value in body.items() if name not in named}
    bill_to = headers.get(BILL_TO, "")
    return {
        "url": write(call.wire.url, 0),
        "shell_url": literals.shell(call.wire.url),
        "base_url": write(base, 0),
        "query": write(dict(parse_qsl(address.query)), 4) if address.query else "",
        "variable": call.variable,
        "headers": write(headers, 4) if headers else "",
        "other_headers": write(others, 4) if others else "",
        "bill_to": write(bill_to, 0) if bill_to else "",
        "header_lines": [literals.shell(f"{name}: {value}") for name, value in headers.items()],
        "header_items": [f"{write(name, 0)}: {write(value, 0)}" for name, value in headers.items()],
        "arguments": [(name, write(value, 4)) for name, value in named.items()],
        "extra_body": write(extra, 4) if extra else "",
        "body": write(body, 0),
        "body_inside": write(body, 2),
        "json_body": literals.as_json(body),
        "model": write(body.get("model", ""), 0),
        "litellm_model": write(f"openai/{body.get('model', '')}", 0),
        "stream": call.streams,
        "has_schema": (body.get("response_format") or {}).get("type") == "json_schema",
        "r": _r_context(body, headers, call.variable == "HF_TOKEN") if client.language == "R" else {},
    }


def _extra_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that are not the playground's own habit."""
    return {name: value for name, value in headers.items() if OWN_HEADERS.get(name) != value}


def _r_context(body: Json, headers: Mapping[str, str], at_hugging_face: bool) -> dict[str, Any]:
    """ellmer keeps system prompt, turns and parameters apart, under names of its own."""
    messages = list(body.get("messages", []))
    system = messages.pop(0)["content"] if messages and messages[0]["role"] == "system" else ""
    question = messages.pop()["content"] if messages and messages[-1]["role"] == "user" else ""
    known = {name: body[wire] for name, wire in _ELLMER.items() if wire in body}
    left_out = {"model", "messages", "stream", "stream_options", *(_ELLMER[name] for name in known)}
    args = {name: value for name, value in body.items() if name not in left_out}
    return {
        "function": "chat_huggingface" if at_hugging_face else "chat_openai_compatible",
        "system": literals.r(system, 2) if system else "",
        "question": literals.r(question, 0),
        "turns": [
            ("UserTurn" if message["role"] == "user" else "AssistantTurn", literals.r(message["content"], 2))
            for message in messages
        ],
        "params": [f"{name} = {literals.r(value, 4)}" for name, value in known.items()],
        "api_args": literals.r(args, 2) if args else "",
        "api_headers": [f"{literals.r(name, 0)} = {literals.r(value, 0)}" for name, value in headers.items()],
    }


# What ellmer's `params()` calls them.
_ELLMER = {
    "temperature": "temperature",
    "top_p": "top_p",
    "frequency_penalty": "frequency_penalty",
    "presence_penalty": "presence_penalty",
    "seed": "seed",
    "max_tokens": "max_tokens",
    "log_probs": "logprobs",
    "stop_sequences": "stop",
}
_WRITERS: dict[str, literals.Literal] = {
    "Python": literals.python,
    "JavaScript": literals.javascript,
    "R": literals.r,
    "Shell": literals.as_json,
}
