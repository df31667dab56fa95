"""A decrypted key in memory, bound to the one host it may be sent to: a bearer token, or a set of named headers.

The vault makes a Credential right before a request; `client` asks it for the header. It is never stored, and neither
its repr nor anything masked by it shows the secret.
"""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, urlsplit

from chat.providers.errors import Context, provider_error
from chat.providers.headers import header_problem

MASK = "•••"
# Shorter values of headers are names and numbers, which would be hidden wherever they occur.
SHORTEST_SECRET_VALUE = 8
# What a Hugging Face token looks like (user, OAuth, organisation): hidden even if it is not the one we sent.
_TOKEN = re.compile(r"\b(?:hf|api_org)_[A-Za-z0-9_-]{6,}")
# Stricter, for refusing what people type: real tokens are long, and "hf_transfer" is not one.
_CERTAIN_TOKEN = re.compile(r"\b(?:hf|api_org)_[A-Za-z0-9]{20,}")
_NETLOC = re.compile(r"(?:[a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}
# Tokens for these hosts would open far more than a chat, so they never travel unencrypted.
_ENCRYPTED_ONLY = ("huggingface.co", "huggingface.cloud", "hf.co", "hf.space")


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret for `host` ("router.huggingface.co" or "host:port", as in a URL); shown as `label` and `last_four`."""

    secret: str = field(repr=False)
    host: str
    label: str
    last_four: str
    named: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    _hidden: re.Pattern[str] | None = field(init=False, repr=False, compare=False, default=None)
    _spelled: tuple[str, ...] = field(init=False, repr=False, compare=False, default=())

    def __post_init__(self) -> None:
        spelled = {spelling for secret in self.secrets for spelling in _spellings(secret)}
        longest_first = sorted(spelled, key=len, reverse=True)
        hidden = re.compile("|".join(map(re.escape, longest_first))) if spelled else None
        object.__setattr__(self, "_hidden", hidden)
        object.__setattr__(self, "_spelled", tuple(longest_first))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown: the token, or the values of headers that are long enough to be secret."""
        if self.named:
            return tuple(value for _, value in self.named if len(value) >= SHORTEST_SECRET_VALUE)
        return (self.secret,) if self.secret else ()

    def headers(self, url: str) -> dict[str, str]:
        """The headers that authorise a request to `url`.

        Raises CredentialHostMismatch if the URL leads to any other host, and KeyRefused if the secret has characters
        that no header can carry.
        """
        if not _same_host(url, self.host):
            raise provider_error("host_mismatch", Context(key=self.label))
        if self.named:
            if any(header_problem(name, value, of_key=True) for name, value in self.named):
                raise provider_error("unauthorized", Context(key=self.label))
            return dict(self.named)
        if not self.secret.isascii() or not self.secret.isprintable() or " " in self.secret:
            raise provider_error("unauthorized", Context(key=self.label))
        return {"Authorization": f"Bearer {self.secret}"}

    def mask(self, text: str) -> str:
        """`text` without this secret and without anything else that looks like a Hugging Face token."""
        return mask_tokens(self.mask_own(text))

    def mask_own(self, text: str) -> str:
        """`text` without this secret, also as JSON or an address would spell it."""
        return self._hidden.sub(MASK, text) if self._hidden else text

    def places_in(self, text: str) -> list[tuple[int, int]]:
        """Where in `text` this secret stands: beginnings and ends."""
        return [found.span() for found in self._hidden.finditer(text)] if self._hidden else []

    def may_begin_at(self, text: str) -> int:
        """Where in `text` an end of it begins that may become this secret; its length where there is none."""
        first = len(text)
        for spelled in self._spelled:
            start = text.find(spelled[0], max(0, len(text) - len(spelled) + 1))
            while start != -1 and start < first:
                if spelled.startswith(text[start:]):
                    first = start
                    break
                start = text.find(spelled[0], start + 1)
        return first


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield html.escape(secret)


def mask_tokens(text: str) -> str:
    """`text` with everything that looks like a Hugging Face token hidden."""
    return _TOKEN.sub(MASK, text)


def contains_token(text: str) -> bool:
    """True if something in `text` can only be a Hugging Face token."""
    return _CERTAIN_TOKEN.search(text) is not None


def _same_host(url: str, host: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    netloc = parts.netloc.lower()
    # A netloc with a user name or a backslash is read differently by different parsers: never worth the risk.
    if parts.scheme not in _DEFAULT_PORTS or not _NETLOC.fullmatch(netloc):
        return False
    default = _DEFAULT_PORTS[parts.scheme]
    name = netloc.removesuffix(default)
    if parts.scheme == "http" and _under(name, _ENCRYPTED_ONLY):
        return False
    return name == host.lower().removesuffix(default)


def _under(name: str, domains: tuple[str, ...]) -> bool:
    host = name.partition(":")[0]
    return any(host == domain or host.endswith("." + domain) for domain in domains)
