"""What is asked of a provider: the request as people mean it, and the request as it goes over the wire.

ChatRequest is input to `payload`, WireRequest its output: stored with the run, shown in the inspector, sent by
`client`, all from the same object. Neither ever holds a secret; the rules for URLs live here too.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Required, TypeAlias, TypedDict, cast
from urllib.parse import urlsplit, urlunsplit

Json: TypeAlias = dict[str, Any]


class EndpointKind(StrEnum):
    """What stands behind a base URL; decides the few differences in the request."""

    ROUTER = "router"
    INFERENCE_ENDPOINT = "inference_endpoint"
    TGI = "tgi"
    OPENAI = "openai"
    LOCAL = "local"


class WireMessage(TypedDict, total=False):
    """One message of the `messages` array of a chat completion request."""

    role: Required[str]
    content: Required[str | list[Json] | None]
    name: str
    tool_calls: list[Json]
    tool_call_id: str


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Patience in seconds: to connect; until the first token, connecting included; between two tokens."""

    connect: float = 10.0
    first_token: float = 120.0
    between_tokens: float = 60.0


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to one model.

    `model` is the id for the wire, with `:provider` where one is wanted. `parameters` holds only what the person set,
    under the names of `chat.parameters`; `extra_body` merges over them and wins; `extra_headers` are sent as they are.
    """

    kind: EndpointKind
    base_url: str
    model: str
    messages: tuple[WireMessage, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    extra_headers: Mapping[str, str] = field(default_factory=dict)
    bill_to: str = ""
    timeouts: Timeouts = Timeouts()


@dataclass(frozen=True, slots=True)
class WireRequest:
    """Exactly what is sent by POST, but for the authorisation header, which a Credential adds at the last moment."""

    url: str
    headers: dict[str, str]
    body: Json
    timeouts: Timeouts = Timeouts()

    def content(self) -> bytes:
        """The body as bytes, keys in order (the router reads `model` from the first of them)."""
        text = json.dumps(self.body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")

    def to_json(self) -> str:
        """This request as JSON text. Text and not a dict, because a database's JSON column may reorder the keys."""
        timeouts = {name: getattr(self.timeouts, name) for name in Timeouts.__slots__}
        stored = {"url": self.url, "headers": self.headers, "body": self.body, "timeouts": timeouts}
        return json.dumps(stored, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> "WireRequest":
        """The inverse of `to_json`."""
        stored = cast(Json, json.loads(text))
        return cls(stored["url"], stored["headers"], stored["body"], Timeouts(**stored["timeouts"]))


def chat_url(base_url: str) -> str:
    """Where to POST a chat completion for a base URL that may or may not end in /v1 or in the full path.

    The rule of huggingface_hub and @huggingface/inference; a query string is kept.
    """
    return _with_path(base_url, _v1(base_url) + "/chat/completions")


def models_url(base_url: str) -> str:
    """Where to GET the list of models that belongs to the same base URL."""
    return _with_path(base_url, _v1(base_url) + "/models")


def _v1(base_url: str) -> str:
    path = urlsplit(base_url).path.rstrip("/").removesuffix("/chat/completions")
    return path if path.endswith("/v1") or _is_full(base_url) else path + "/v1"


def _is_full(base_url: str) -> bool:
    return urlsplit(base_url).path.rstrip("/").endswith("/chat/completions")


def _with_path(base_url: str, path: str) -> str:
    return urlunsplit(urlsplit(base_url)._replace(path=path, fragment=""))
