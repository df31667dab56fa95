"""Reads the Hub's answer to ``GET /api/whoami-v2``: whose token it is, and what it may call.

Pure: JSON in, values out, and never an error, because the shapes vary with the kind of token. What the findings mean
for an endpoint, and the words for them, are in ``check``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chat.providers.credential import mask_tokens
from chat.providers.wild_json import label, mapping, sequence

# As much as a key's row stores.
NAME_LIMIT = 100
# Names that the Hub gives to the rights of fine-grained tokens.
CALL_PROVIDERS = "inference.serverless.write"
CALL_ENDPOINTS = ("inference.endpoints.infer.write", "inference.endpoints.write")


@dataclass(frozen=True)
class Right:
    """Whether a token may do a thing: True, False, or None where its kind does not tell.

    ``only_for`` names the organisations it may do it for, where it may not do it for its owner.
    """

    allowed: bool | None
    only_for: tuple[str, ...] = ()


UNKNOWN, YES, NO = Right(None), Right(True), Right(False)


@dataclass(frozen=True)
class Identity:
    """Whose token it is (empty if the Hub does not say), what it may call, and the owner's organisations."""

    name: str
    providers: Right = UNKNOWN
    endpoints: Right = UNKNOWN
    organisations: tuple[str, ...] = ()


def read_whoami(body: object) -> Identity:
    """Return what the answer says; unknown shapes give empty names and unknown rights."""
    answer = mapping(body)
    token = mapping(mapping(answer.get("auth")).get("accessToken"))
    organisations = tuple(_name(entry) for entry in sequence(answer.get("orgs")))
    return Identity(
        _name(answer),
        _right(token, (CALL_PROVIDERS,)),
        _right(token, CALL_ENDPOINTS),
        tuple(name for name in organisations if name),
    )


def _right(token: dict[str, Any], wanted: tuple[str, ...]) -> Right:
    role = token.get("role")
    if role in ("read", "write"):
        return YES
    if role != "fineGrained":
        return UNKNOWN
    holders = list(_holders(mapping(token.get("fineGrained")), wanted))
    if not holders:
        return NO
    return YES if "" in holders else Right(True, tuple(dict.fromkeys(holders)))


def _holders(grants: dict[str, Any], wanted: tuple[str, ...]) -> Iterator[str]:
    """Yield "" for each grant to the owner, and the organisation's name for each grant to one."""
    if _any_of(wanted, grants.get("global")):
        yield ""
    for entry in map(mapping, sequence(grants.get("scoped"))):
        if _any_of(wanted, entry.get("permissions")):
            entity = mapping(entry.get("entity"))
            yield _name(entity) if entity.get("type") == "org" else ""


def _any_of(wanted: tuple[str, ...], permissions: object) -> bool:
    return any(permission in wanted for permission in sequence(permissions) if isinstance(permission, str))


def _name(owner: object) -> str:
    # Names are shown and stored; a token that strayed into one must not be.
    return mask_tokens(label(mapping(owner).get("name")))[:NAME_LIMIT]
