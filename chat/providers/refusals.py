"""Reads a provider's refusal: from status, headers and body, in any of the shapes they come in, to one ProviderError.

All knowledge of how providers word their errors is in the tables here; the words for people are in `errors`.
Called by `client` for answers that are not 200 and by `decoding` for error objects inside a stream.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chat.providers.credential import Credential, mask_tokens
from chat.providers.errors import Context, ProviderError, provider_error
from chat.providers.headers import kept_headers
from chat.providers.waiting import retry_after
from chat.providers.wild_json import label, mapping, number, parse, sequence, text

MAX_NESTING = 4
MAX_LOADING_SECONDS = 24 * 3600.0
_BY_STATUS = {
    400: "bad_request",
    401: "unauthorized",
    402: "no_credit",
    403: "denied",
    404: "not_found",
    405: "not_found",
    408: "gateway_timeout",
    409: "server_error",
    410: "gone",
    413: "too_large",
    422: "unprocessable",
    424: "generation_failed",
    425: "server_error",
    429: "rate_limited",
    504: "gateway_timeout",
    522: "gateway_timeout",
    524: "gateway_timeout",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """If the provider's words match and the status is one of `statuses` (empty: any), the refusal is of this kind."""

    kind: str
    statuses: frozenset[int]
    words: re.Pattern[str]


def _rule(kind: str, statuses: tuple[int, ...], words: str) -> Rule:
    return Rule(kind, frozenset(statuses), re.compile(words, re.IGNORECASE))


# Status 0 is an error object inside a stream that names no status. The first rule that fits decides.
_RULES = (
    _rule(
        "no_credit",
        (0, 400, 401, 402, 403, 429),
        r"included credits|pre-?paid credits|out of credit|insufficient[_ ](credit|balance|fund|quota)"
        r"|payment required",
    ),
    _rule(
        "gated",
        (0, 400, 401, 403, 404),
        r"gated (model|repo)|access to model .{1,200} is restricted|awaiting a review"
        r"|accept (the|its|their) (licen[cs]e|terms|conditions)",
    ),
    # Any other 403 may be about the request, and says nothing about the key for others.
    _rule(
        "forbidden",
        (403,),
        r"(sufficient|insufficient|missing|lacks?|required?) .{0,40}(permission|scope)s?"
        r"|(api|access|auth\w*|bearer)[ _-]?(key|token).{0,60}"
        r"(permission|scope|revoked|expired|disabled|invalid|blocked)"
        r"|(invalid|revoked|expired|disabled|unknown|incorrect) .{0,30}(key|token|credential)"
        r"|(account|organi[sz]ation).{0,40}(suspended|disabled|deactivated|blocked)",
    ),
    _rule(
        "loading",
        (0, 429, 500, 503),
        r"currently loading|(model|server) is (still )?loading|loading model|scal(ing|ed) (up|to zero|from)",
    ),
    _rule("no_chat_template", (), r"template_error|missing_template_variable|template not found|no chat.?template"),
    _rule(
        "model_not_supported",
        (0, 400, 404, 422),
        r"model_not_supported|not supported by (any )?provider|not a chat model",
    ),
    _rule(
        "context_too_long",
        (0, 400, 413, 422, 500),
        r"context_length_exceeded|exceed_context_size|context (length|size|window)|prompt is too long|input is too long"
        r"|too many (input )?tokens|`?inputs`? must have less than|`?inputs`? tokens \+",
    ),
    _rule("generation_failed", (0, 424, 500), r"\bincomplete_generation|\bgeneration\b"),
    _rule("rate_limited", (0, 429, 500, 502, 503), r"\boverloaded\b|rate.?limit|too many requests"),
)
_UNKNOWN_PARAMETER = re.compile(
    r"unknown_parameter|unsupported_parameter|unrecognized|unknown (parameter|field|argument)"
    r"|unsupported (parameter|field)"
    r"|is unsupported|extra (inputs|fields) (are )?not permitted|extra_forbidden|unexpected (keyword )?argument"
    r"|not supported (with|by|for) this model|wrong_api_format",
    re.IGNORECASE,
)
_PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,60}")
_NAMED = re.compile(
    r"(?:parameter|argument(?: supplied)?|property|field)s?:? *['\"`“]([A-Za-z_][A-Za-z0-9_.]{0,60})"
    r"|argument(?: supplied)?: *([A-Za-z_][A-Za-z0-9_.]{0,60})",
    re.IGNORECASE,
)
# Naming these says which part of the request is wrong, but they are not knobs that could be dropped.
_NOT_KNOBS = frozenset({"model", "messages", "inputs", "body", "prompt"})
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,300})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Words:
    """What a refusal says once unwrapped; `code` gathers its machine-readable words."""

    message: str = ""
    code: str = ""
    parameter: str = ""
    status: int = 0
    estimated_time: float | None = None


def refusal(status: int, headers: Mapping[str, str], body: bytes, credential: Credential | None) -> ProviderError:
    """The error for an answer whose status is not 200. `body` may be the beginning only, of any type, or empty."""
    lowered = {name.lower(): value for name, value in headers.items()}
    raw = body.decode("utf-8", "replace")
    words = _read_body(body, raw)
    if not words.message:
        words = Words(lowered.get("x-error-message", ""), words.code or lowered.get("x-error-code", ""))
    kind = _kind(status, words)
    return _error(kind, status, words, raw, credential, lowered)


def stream_failure(payload: object, raw: str, credential: Credential | None) -> ProviderError:
    """The error for an error object that came inside a 200 answer; `raw` is the event as it came."""
    words = unwrap(payload)
    kind = _kind(words.status, words)
    # That it is the provider's fault is all that a status of 500 says here; its words say more.
    kind = "stream_error" if kind == "server_error" else kind
    return _error(kind, 200, words, raw, credential, {})


def unwrap(payload: object, nesting: int = 0) -> Words:
    """The message and the codes in an error body of any known shape; empty where there is nothing to read.

    Shapes: a string; `error` as string, object or list; `message`; `detail` as string or FastAPI's list; `errors`;
    problem+json (RFC 9457); TGI's `error_type`.
    """
    if isinstance(payload, str):
        return Words(text(payload))
    if isinstance(payload, list):
        return unwrap(payload[0], nesting + 1) if payload and nesting < MAX_NESTING else Words()
    body = mapping(payload)
    inner = next(
        (body[name] for name in ("error", "message", "detail", "errors", "msg", "title") if body.get(name)), None
    )
    below = unwrap(inner, nesting + 1) if inner is not None and nesting < MAX_NESTING else Words()
    codes = (label(body.get(name)) for name in ("code", "type", "error_type", "error_code"))
    return Words(
        below.message,
        " ".join(filter(None, (below.code, *codes))),
        below.parameter or label(body.get("param")) or _location(body.get("loc")),
        below.status or _status(body),
        below.estimated_time if below.estimated_time is not None else _loading_seconds(body.get("estimated_time")),
    )


def _read_body(body: bytes, raw: str) -> Words:
    try:
        return unwrap(parse(body))
    except ValueError:
        if raw.lstrip().startswith("<"):
            title = _TITLE.search(raw)
            return Words(" ".join(title[1].split())) if title else Words()
        return Words(text(raw.strip()))


def _kind(status: int, words: Words) -> str:
    said = f"{words.code} {words.message[:2_000]}"
    if status in (0, 400, 422) and _UNKNOWN_PARAMETER.search(said) and _parameter(words):
        return "unknown_parameter"
    if status in (0, 503) and words.estimated_time is not None:
        return "loading"
    for rule in _RULES:
        if (not rule.statuses or status in rule.statuses) and rule.words.search(said):
            return rule.kind
    return _by_status(status)


def _by_status(status: int) -> str:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status == 0:
        return "stream_error"
    if status < 300:
        return "malformed"
    if status < 400:
        return "redirected"
    return "bad_request" if status < 500 else "server_error"


def _error(
    kind: str, status: int, words: Words, raw: str, credential: Credential | None, headers: Mapping[str, str]
) -> ProviderError:
    mask = credential.mask if credential else mask_tokens
    context = Context(
        key=credential.label if credential else "",
        detail=mask(words.message),
        status=status,
        raw=mask(raw),
        retry_after=retry_after(headers),
        estimated_time=words.estimated_time,
        parameter=_parameter(words) if kind in ("unknown_parameter", "bad_request", "unprocessable") else "",
        headers={name: mask(value) for name, value in kept_headers(headers.items()).items()},
    )
    return provider_error(kind, context)


def _parameter(words: Words) -> str:
    """The knob the provider complains about, by its own field or by its sentence, or ""."""
    named = _NAMED.search(words.message[:2_000])
    name = words.parameter or (named[1] or named[2] if named else "")
    return name if _PARAMETER_NAME.fullmatch(name) and name not in _NOT_KNOBS else ""


def _location(value: object) -> str:
    """FastAPI says where: ["body", "top_k"]."""
    steps = [label(step) for step in sequence(value) if isinstance(step, str) and step != "body"]
    return steps[0] if steps else ""


def _status(body: dict[str, Any]) -> int:
    for name in ("http_status_code", "status_code", "status", "code"):
        status = number(body.get(name))
        if status is not None and 400 <= status <= 599:
            return int(status)
    return 0


def _loading_seconds(value: object) -> float | None:
    seconds = number(value)
    return seconds if seconds is not None and 0 <= seconds <= MAX_LOADING_SECONDS else None
