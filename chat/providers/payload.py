"""Turns a ChatRequest into the WireRequest that is stored, shown and sent.

The one place that knows which knob goes into the body under which conditions. It sends only what was set and does no
I/O; the values themselves were checked by `chat.parameters`.
"""

from collections.abc import Mapping
from typing import Any

from chat.providers.headers import header_problem, value_problem
from chat.providers.requests import ChatRequest, EndpointKind, Json, WireRequest, chat_url

USER_AGENT = "self-hosted-playground/1.0"
# They decide what is asked and who answers; grants and isolation rest on them, so extra fields cannot touch them.
# Gateways take the others for where to send their own key, or whom to ask instead; they too are the administrator's.
RESERVED_FIELDS = frozenset(
    {"model", "messages", "models", "fallbacks", "api_key", "api_base", "base_url", "api_version", "organization"}
    | {"headers", "extra_headers", "default_headers", "user_config", "model_list", "litellm_params"}
    | {"litellm_credential_name", "custom_llm_provider", "proxy", "proxies"}
)
BILL_TO = "X-HF-Bill-To"
# What the playground sends of itself, unless a person's own headers say otherwise.
OWN_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "text/event-stream, application/json",
    # A compressed stream may be held back until a block is full; tokens should come as they are made.
    "Accept-Encoding": "identity",
    "User-Agent": USER_AGENT,
    # Reuse saves a TLS handshake; without one it saves nothing worth having, and small servers, llama.cpp's among
    # them, announce keep-alive and hang up all the same, which loses the next request. So over plain HTTP only:
    "Connection": "close",
}
_TRANSPORT = frozenset({"stream", "stream_usage", "extra_body", "extra_headers"})
# TGI refuses top_p = 1 with a 422, and so do Inference Endpoints, which run it; leaving it out means the same.
_WITHOUT_TOP_P_1 = frozenset({EndpointKind.TGI, EndpointKind.INFERENCE_ENDPOINT})


def wire_request(request: ChatRequest) -> WireRequest:
    """The exact request for the wire. Raises ValueError for a reserved extra field or a header that cannot be sent."""
    return WireRequest(
        url=chat_url(request.base_url),
        headers=_headers(request),
        body=_body(request),
        timeouts=request.timeouts,
    )


def merge_patch(target: Mapping[str, Any], patch: Mapping[str, Any]) -> Json:
    """`target` with `patch` merged in deeply: the patch wins, null removes (RFC 7396). Order of `target` is kept."""
    merged = dict(target)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            below = merged.get(name)
            merged[name] = merge_patch(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged


def _body(request: ChatRequest) -> Json:
    reserved = RESERVED_FIELDS.intersection(request.extra_body)
    if reserved:
        raise ValueError(f"reserved in extra body fields: {', '.join(sorted(reserved))}")
    body: Json = {"model": request.model, "messages": list(request.messages)}
    body.update(_knobs(request))
    body.update(_streaming(request.parameters))
    return merge_patch(body, request.extra_body)


def _knobs(request: ChatRequest) -> Json:
    knobs = {name: value for name, value in request.parameters.items() if value is not None and name not in _TRANSPORT}
    if knobs.get("top_p") == 1 and request.kind in _WITHOUT_TOP_P_1:
        del knobs["top_p"]
    if not knobs.get("logprobs"):
        knobs.pop("top_logprobs", None)
    return knobs


def _streaming(parameters: Mapping[str, Any]) -> Json:
    if parameters.get("stream") is False:
        return {"stream": False}
    if parameters.get("stream_usage") is False:
        return {"stream": True}
    return {"stream": True, "stream_options": {"include_usage": True}}


def _headers(request: ChatRequest) -> dict[str, str]:
    own = dict(OWN_HEADERS)
    if not request.base_url.startswith("http://"):
        del own["Connection"]
    replaced = {name.lower() for name in request.extra_headers}
    headers = {name: value for name, value in own.items() if name.lower() not in replaced}
    if request.bill_to:
        headers[BILL_TO] = request.bill_to
    _refuse(value_problem(request.bill_to), BILL_TO)
    for name, value in request.extra_headers.items():
        _refuse(header_problem(name, value), name)
        headers[name] = value
    return headers


def billed_to(headers: Mapping[str, str], organisation: str) -> dict[str, str]:
    """`headers` of a WireRequest with another organisation to pay; "" for the owner of the key."""
    others = {name: value for name, value in headers.items() if name != BILL_TO}
    return others | ({BILL_TO: organisation} if organisation else {})


def _refuse(problem: str, name: str) -> None:
    if problem:
        raise ValueError(f"header {name} {problem}")
