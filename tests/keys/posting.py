"""What the tests of the pages post, and how they look into the vault."""

from typing import Any

from chat.catalogue.models import Endpoint
from chat.keys.models import Key
from chat.keys.vault import Binding, open_sealed

SECRET = "hf_canary_of_the_page_ab12"
HTMX = {"HX-Request": "true"}


def new_key(router: Endpoint, **fields: Any) -> dict[str, Any]:
    """What the form for a key posts."""
    return {"secret": SECRET, "label": "Work", "endpoint": router.pk} | fields


def secret_of(key: Key) -> str:
    return open_sealed(key.sealed, Binding.of(key))
