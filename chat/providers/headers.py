"""Which headers of a request people may set, and which of an answer are worth keeping.

Used by `chat.parameters` beside the form field, by `payload` again before sending, and by `client` on the answer.
"""

import re
from collections.abc import Iterable

# RFC 9110 5.6.2: a field name is a token.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"(?:[\x21-\x7e](?:[\x20-\x7e\t]{0,3998}[\x21-\x7e])?)?")
# Who is asking, who pays, and how the connection is framed are not for a free-form header to decide.
_RESERVED = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "cookie",
        "host",
        "x-hf-bill-to",
        "content-length",
        "content-type",
        "content-encoding",
        "accept-encoding",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
    }
)
# The ones of these that a key may consist of: how it is authorised is what a key is for.
_OF_KEYS = frozenset({"authorization", "proxy-authorization"})
SERVED_BY = "x-inference-provider"
# Ids to quote when asking a provider what happened, times measured on their side, and limits.
_KEPT = frozenset(
    {
        SERVED_BY,
        "x-request-id",
        "x-amzn-trace-id",
        "x-amz-cf-id",
        "inference-id",
        "content-type",
        "retry-after",
        "x-error-code",
        "x-error-message",
        "x-hf-warning",
        "x-total-time",
        "x-validation-time",
        "x-queue-time",
        "x-inference-time",
        "x-time-per-token",
        "x-prompt-tokens",
        "x-generated-tokens",
    }
)
_KEPT_PREFIXES = ("x-compute-", "ratelimit", "x-ratelimit-")
_KEPT_COUNT, _KEPT_LENGTH = 40, 300


def header_problem(name: str, value: str, *, of_key: bool = False) -> str:
    """Why this extra header, or header of a key, cannot be sent, as the end of a sentence, or "" if it can."""
    if not _NAME.fullmatch(name):
        return "is not a valid header name"
    lowered = name.lower()
    reserved = lowered in _RESERVED or lowered.startswith(("proxy-", "x-forwarded-")) or lowered == "forwarded"
    if reserved and not (of_key and lowered in _OF_KEYS):
        return "is set by the playground itself"
    return value_problem(value)


def value_problem(value: str) -> str:
    """Why no header can have this value, as the end of a sentence, or "" if it can."""
    return "" if _VALUE.fullmatch(value) else "has a value with characters that a header cannot carry"


def kept_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers of an answer that are worth keeping, names in lower case, bounded in number and length."""
    kept: dict[str, str] = {}
    for name, value in headers:
        lowered = name.lower()
        if len(kept) < _KEPT_COUNT and (lowered in _KEPT or lowered.startswith(_KEPT_PREFIXES)):
            kept[lowered] = value[:_KEPT_LENGTH].replace("\x00", "")
    return kept
