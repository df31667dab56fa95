"""Everything that can go wrong between us and a provider, as one tree.

ProviderError
├── KeyRefused        the key is wrong, has no right, or its account has no credit
├── RequestRefused    the provider will not do this request as it stands
├── Busy              the same request may work later
├── Unreachable       no usable connection to the provider
│   └── TooSlow       a connection, but silence for too long
├── BrokenAnswer      an answer began, or was promised, and is not usable as it stands
├── CredentialHostMismatch   we refused to send a key to a host it does not belong to
└── Stopped           ended by us

This module owns the words for each kind. `refusals` picks the kind for an HTTP answer, `client` for a failed
connection, `decoding` for a broken stream. Nothing here reads from the network.
"""

from dataclasses import dataclass, field

RAW_LIMIT = 20_000
DETAIL_LIMIT = 300


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about a failure beyond its kind; see ProviderError for the meaning of each."""

    key: str = ""
    detail: str = ""
    status: int | None = None
    raw: str = ""
    retry_after: float | None = None
    estimated_time: float | None = None
    parameter: str = ""
    headers: dict[str, str] = field(default_factory=dict)


NOTHING_KNOWN = Context()


class ProviderError(Exception):
    """A failed request, in words a person understands.

    kind            stable slug, a key of KINDS
    sentence        what happened and what to do, plain text
    detail          the provider's own words, unwrapped, at most 300 characters, or ""
    status          HTTP status, None where there was none
    raw             the provider's answer as it came, at most 20,000 characters, secrets masked
    retry_after     seconds the provider asked us to wait, or None
    estimated_time  seconds until a loading model is ready, as the provider guesses, or None
    parameter       the request field the provider named as the culprit, or ""
    headers         the response headers worth keeping (request ids and the like)
    retryable       True where the same request may well work a little later
    remedies        what to offer: retry, other_provider, other_key, shorten, raise_limit, wait, drop_parameter,
                    accept_licence
    """

    def __init__(self, kind: str, context: Context = NOTHING_KNOWN) -> None:
        self.kind = kind
        self.detail = context.detail[:DETAIL_LIMIT]
        self.status = context.status
        self.raw = context.raw[:RAW_LIMIT]
        self.retry_after = context.retry_after
        self.estimated_time = context.estimated_time
        self.parameter = context.parameter
        self.headers = context.headers
        self.retryable = KINDS[kind].retryable
        self.remedies = _remedies(kind, context.parameter)
        self.sentence = _sentence(kind, context)
        super().__init__(self.sentence)


class KeyRefused(ProviderError):
    """401, 402, 403: the key, its rights or its account's credit."""


class RequestRefused(ProviderError):
    """400, 404, 410, 413, 422: this request, sent again, fails again."""


class Busy(ProviderError):
    """429, 5xx: the provider cannot do it now."""


class Unreachable(ProviderError):
    """No connection, or one that broke before or during the answer."""


class TooSlow(Unreachable):
    """Connected, then silence beyond a limit."""


class BrokenAnswer(ProviderError):
    """A 2xx answer that is an error inside, ends early, or cannot be read."""


class CredentialHostMismatch(ProviderError):
    """A key was about to be sent to a host it is not bound to; nothing was sent."""


class Stopped(ProviderError):
    """Ended on request."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of KINDS. A sentence may use {key}, {detail}, {wait}, {status} and {parameter}."""

    family: type[ProviderError]
    sentence: str
    remedies: tuple[str, ...] = ()
    retryable: bool = False


KINDS: dict[str, Kind] = {
    "unauthorized": Kind(
        KeyRefused, "{key} was not accepted. Check that it is still valid, or use another key.", ("other_key",)
    ),
    "no_credit": Kind(KeyRefused, "The account behind {key} is out of credit.", ("other_key", "other_provider")),
    "forbidden": Kind(
        KeyRefused,
        "{key} does not have the right to use this model. Use another key, or give it that right.",
        ("other_key", "other_provider"),
    ),
    "denied": Kind(KeyRefused, "The provider does not allow this request{detail}.", ("other_provider", "other_key")),
    "gated": Kind(
        KeyRefused,
        "This model has a licence to accept first. Accept it on the model's page on Hugging Face, then try again.",
        ("accept_licence", "other_key", "retry"),
    ),
    "not_found": Kind(
        RequestRefused, "This model was not found there. Check its name, or try another provider.", ("other_provider",)
    ),
    "model_not_supported": Kind(
        RequestRefused,
        "None of the providers you can use offers this model for chat. Try another provider or model.",
        ("other_provider",),
    ),
    "no_chat_template": Kind(
        RequestRefused, "This model was not made for chat. Pick another one.", ("other_provider",)
    ),
    "context_too_long": Kind(
        RequestRefused,
        "This chat is too long for the model. Shorten it, lower the token limit, or pick a model that reads more.",
        ("shorten", "other_provider"),
    ),
    "unknown_parameter": Kind(
        RequestRefused,
        "The provider does not accept the setting “{parameter}”. Remove it, or try another provider.",
        ("other_provider",),
    ),
    "bad_request": Kind(RequestRefused, "The provider did not accept this request{detail}.", ("other_provider",)),
    "unprocessable": Kind(
        RequestRefused, "The provider could not work with this request{detail}.", ("other_provider",)
    ),
    "gone": Kind(
        RequestRefused, "This address has been switched off by the provider. An administrator can enter the new one."
    ),
    "too_large": Kind(
        RequestRefused,
        "The message is too large for the provider. Shorten it, or attach less.",
        ("shorten", "other_provider"),
    ),
    "redirected": Kind(
        RequestRefused,
        "The address answered with a redirect, which is not followed. An administrator can enter the new one.",
    ),
    "bad_address": Kind(
        RequestRefused, "The address of this endpoint is not a valid web address. An administrator can correct it."
    ),
    "private_address": Kind(
        RequestRefused,
        "The address of this endpoint is in a private network. An administrator can allow that for this endpoint.",
        ("other_provider",),
    ),
    "switched_off": Kind(
        RequestRefused, "An administrator has switched this endpoint off. Choose another model.", ("other_provider",)
    ),
    "rate_limited": Kind(
        Busy, "Too many requests for now.{wait}", ("wait", "retry", "other_provider", "other_key"), True
    ),
    "loading": Kind(Busy, "The model is still loading.{wait}", ("wait", "retry", "other_provider"), True),
    "generation_failed": Kind(Busy, "The model failed while writing. Try again.", ("retry", "other_provider"), True),
    "server_error": Kind(
        Busy,
        "The provider has a problem of its own (error {status}). Try again, or try another provider.",
        ("retry", "other_provider"),
        True,
    ),
    "gateway_timeout": Kind(
        Busy,
        "The provider took too long to answer. Try again, or try another provider.",
        ("retry", "other_provider"),
        True,
    ),
    "refused_connection": Kind(
        Unreachable, "Nothing answers at the provider's address. It may be down.", ("retry", "other_provider"), True
    ),
    "dns": Kind(
        Unreachable,
        "The provider's address could not be found. Check the name, or the network of this server.",
        ("retry", "other_provider"),
        True,
    ),
    "tls": Kind(Unreachable, "No secure connection to the provider was possible.", ("retry", "other_provider")),
    "broken_connection": Kind(Unreachable, "The connection to the provider broke.", ("retry", "other_provider"), True),
    "connect_timeout": Kind(TooSlow, "The provider could not be reached in time.", ("retry", "other_provider"), True),
    "first_token_timeout": Kind(
        TooSlow, "The model did not start to answer in time.", ("retry", "other_provider"), True
    ),
    "between_tokens_timeout": Kind(
        TooSlow,
        "The model went silent in the middle of its answer. The text so far is kept.",
        ("retry", "other_provider"),
        True,
    ),
    "stream_error": Kind(
        BrokenAnswer, "The provider reported an error while answering{detail}.", ("retry", "other_provider"), True
    ),
    "cut_off": Kind(
        BrokenAnswer, "The answer broke off before its end. The text so far is kept.", ("retry", "other_provider"), True
    ),
    "malformed": Kind(BrokenAnswer, "The provider sent something that is not an answer.", ("retry", "other_provider")),
    "empty": Kind(BrokenAnswer, "The provider sent an empty answer.", ("retry", "other_provider"), True),
    "too_long_line": Kind(
        BrokenAnswer, "The provider sent more in one piece than can be read.", ("retry", "other_provider")
    ),
    "host_mismatch": Kind(
        CredentialHostMismatch, "{key} belongs to another address, so it was not sent. Use another key.", ("other_key",)
    ),
    "local_failed": Kind(
        Unreachable, "The model on this machine cannot be used{detail}.", ("retry", "other_provider"), True
    ),
    "stopped": Kind(Stopped, "Stopped.", ("retry",)),
}


def provider_error(kind: str, context: Context = NOTHING_KNOWN) -> ProviderError:
    """The error of this kind, as an instance of its family."""
    return KINDS[kind].family(kind, context)


# Without any key the usual words would blame one that is not there.
_WITHOUT_KEY = {"unauthorized": "This model needs a key. Add yours, or ask an administrator for one."}


def _remedies(kind: str, parameter: str) -> tuple[str, ...]:
    named = ("drop_parameter",) if parameter and kind in ("unknown_parameter", "bad_request", "unprocessable") else ()
    return (*named, *KINDS[kind].remedies)


def _sentence(kind: str, context: Context) -> str:
    detail = " ".join(context.detail.split())[:DETAIL_LIMIT].rstrip(".")
    template = KINDS[kind].sentence if context.key else _WITHOUT_KEY.get(kind, KINDS[kind].sentence)
    text = template.format(
        key=context.key or "the key",
        detail=f": {detail}" if detail else "",
        wait=_wait(context),
        status=context.status or "unknown",
        parameter=context.parameter or "unknown",
    )
    return text[:1].upper() + text[1:]


def _wait(context: Context) -> str:
    seconds = context.retry_after if context.retry_after is not None else context.estimated_time
    if seconds is None:
        return " Try again in a moment."
    if seconds < 120:
        return f" Try again in {max(1, round(seconds))} s."
    return f" Try again in {round(seconds / 60)} minutes."
