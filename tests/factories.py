"""Plain functions that make rows for tests. Alice owns, Bob was granted, Charlie is a stranger, Ada administers."""

from typing import Any, TypeVar

from chat.accounts.models import User
from chat.catalogue.models import Endpoint
from chat.conversations.models import Conversation, Lane
from chat.keys.models import Key, KeyGrant, PersonalKey, SharedKey
from chat.keys.vault import Binding, last_four, seal

AnyKey = TypeVar("AnyKey", bound=Key)
PASSWORD = "correct horse battery"
ROUTER_URL = "https://router.huggingface.co/v1"


def make_user(username: str = "alice", **fields: Any) -> User:
    return User.objects.create_user(username, password=fields.pop("password", PASSWORD), **fields)


def make_administrator(username: str = "ada", **fields: Any) -> User:
    return User.objects.create_superuser(username, password=fields.pop("password", PASSWORD), **fields)


def make_endpoint(slug: str = "router", **fields: Any) -> Endpoint:
    """The Hugging Face router, unless ``fields`` say otherwise. It may be on this machine, where tests have theirs."""
    defaults = {
        "label": slug.title(),
        "kind": Endpoint.Kind.ROUTER,
        "base_url": ROUTER_URL,
        "private_addresses_allowed": True,
    }
    return Endpoint.objects.create(slug=slug, **(defaults | fields))


def make_local_endpoint(**fields: Any) -> Endpoint:
    defaults = {"kind": Endpoint.Kind.LOCAL, "base_url": "http://127.0.0.1:1", "needs_key": False}
    return make_endpoint("local", **(defaults | fields))


def make_personal_key(
    user: User, endpoint: Endpoint, secret: str = "hf_good_of_a_person_ab12", **fields: Any
) -> PersonalKey:
    return _sealed(PersonalKey(user=user, endpoint=endpoint, **({"label": "My token"} | fields)), secret)


def make_shared_key(
    endpoint: Endpoint, *granted_to: User, secret: str = "hf_good_of_the_team_cd34", **fields: Any
) -> SharedKey:
    key = _sealed(SharedKey(endpoint=endpoint, **({"label": "Team key"} | fields)), secret)
    for user in granted_to:
        KeyGrant.objects.create(shared_key=key, user=user)
    return key


def _sealed(key: AnyKey, secret: str) -> AnyKey:
    key.host, key.scheme = key.endpoint.host, key.endpoint.scheme
    key.last_four = last_four(secret)
    key.sealed = seal(secret, Binding.of(key))
    key.save()
    return key


def make_conversation(owner: User, *models: str, endpoint: Endpoint, **fields: Any) -> Conversation:
    """A conversation with one lane for each model, all at ``endpoint``; begun, unless ``is_draft`` says otherwise."""
    conversation = Conversation.objects.create(owner=owner, **fields)
    for position, model in enumerate(models or ("fake/plain",)):
        Lane.objects.create(conversation=conversation, position=position, endpoint=endpoint, model_id=model)
    return conversation
