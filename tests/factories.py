"""Plain functions that make rows for tests. Alice owns, Bob was granted, Charlie is a stranger, Ada administers."""

from typing import Any

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.keys.models import KeyGrant, PersonalKey, SharedKey
from chat.keys.vault import Binding, last_four, seal

PASSWORD = "correct horse battery"
ROUTER_URL = "https://router.huggingface.co/v1"


def make_user(username: str = "alice", **fields: Any) -> User:
    return User.objects.create_user(username, password=fields.pop("password", PASSWORD), **fields)


def make_administrator(username: str = "ada", **fields: Any) -> User:
    return User.objects.create_superuser(username, password=fields.pop("password", PASSWORD), **fields)


def make_endpoint(slug: str = "router", **fields: Any) -> Endpoint:
    """The Hugging Face router, unless ``fields`` say otherwise."""
    defaults = {"label": slug.title(), "kind": Endpoint.Kind.ROUTER, "base_url": ROUTER_URL}
    return Endpoint.objects.create(slug=slug, **(defaults | fields))


def make_local_endpoint(**fields: Any) -> Endpoint:
    defaults = {"kind": Endpoint.Kind.LOCAL, "base_url": "http://127.0.0.1:1", "needs_key": False}
    return make_endpoint("local", **(defaults | fields))


def make_personal_key(
    user: User, endpoint: Endpoint, secret: str = "hf_good_of_a_person_ab12", **fields: Any
) -> PersonalKey:
    key = PersonalKey(user=user, endpoint=endpoint, **({"label": "My token"} | fields))
    return _sealed(key, secret)


def make_shared_key(
    endpoint: Endpoint, *granted_to: User, secret: str = "hf_good_of_the_team_cd34", **fields: Any
) -> SharedKey:
    key = _sealed(SharedKey(endpoint=endpoint, **({"label": "Team key"} | fields)), secret)
    for user in granted_to:
        KeyGrant.objects.create(shared_key=key, user=user)
    return key


def _sealed(key: Any, secret: str) -> Any:
    key.host = key.endpoint.host
    key.last_four = last_four(secret)
    key.sealed = seal(secret, Binding.of(key))
    key.save()
    return key
