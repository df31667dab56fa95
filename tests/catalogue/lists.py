"""Lists of models as endpoints answer them, and rows made from them, for the tests of what reads them."""

from typing import Any

from chat.catalogue.actions import store_offers
from chat.catalogue.facts import parse_models
from chat.catalogue.models import Endpoint

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
QWEN = "Qwen/Qwen2.5-VL-72B-Instruct"
SMOL = "HuggingFaceTB/SmolLM2-135M-Instruct"


def provider(name: str, **fields: Any) -> dict[str, Any]:
    """One entry of ``providers``, with everything that the router may say."""
    return {
        "provider": name,
        "status": "live",
        "context_length": 131072,
        "pricing": {"input": 0.05, "output": 0.08},
        "supports_tools": True,
        "supports_structured_output": False,
        "first_token_latency_ms": 210.5,
        "throughput": 142.0,
        "is_model_author": False,
    } | fields


def model(hub_id: str, *providers: dict[str, Any], modalities: tuple[str, ...] = ("text",)) -> dict[str, Any]:
    return {
        "id": hub_id,
        "object": "model",
        "created": 1_721_692_800,
        "owned_by": hub_id.partition("/")[0],
        "architecture": {"input_modalities": list(modalities), "output_modalities": ["text"]},
        "providers": list(providers),
    }


def answer(*models: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": list(models)}


ROUTER_LIST = answer(
    model(
        LLAMA,
        provider("cerebras", throughput=2000.0, pricing={"input": 0.1, "output": 0.1}),
        provider("together", supports_tools=False, supports_structured_output=True),
        provider("free-cloud", is_free=True, pricing={"input": 0, "output": 0}, context_length=16384),
    ),
    model(QWEN, provider("novita", status="error"), modalities=("text", "image")),
)


def fill(endpoint: Endpoint, listed: object = ROUTER_LIST) -> Endpoint:
    """Give ``endpoint`` this list, as a sync would."""
    store_offers(endpoint, parse_models(listed))
    endpoint.refresh_from_db()
    return endpoint


def fill_local(endpoint: Endpoint, name: str = SMOL) -> Endpoint:
    return fill(endpoint, answer({"id": name, "object": "model"}))
