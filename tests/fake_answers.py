"""What the fake provider says: texts, error bodies, the list of models and the owners of tokens. Data only."""

import json
from typing import Any

PLAIN = "The sea is calm tonight, the tide is full, the moon lies fair."
# A whole stream, in few bytes: characters of several bytes, a comment, an event of two lines.
CUT_TEXT = "Grüße 👩‍🚀"
CUTTABLE = (
    ": hi\n\n"
    'data: {"choices":[{"delta":{"content":"Grüße"}}]}\r\n\r\n'
    'data: {"choices":[{"delta":\ndata: {"content":" 👩‍🚀"}}]}\n\n'
    'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n'
    "data: [DONE]\n\n"
).encode()
REASONING = "The person wants a short sentence. I will write about the sea."
MARKDOWN = """# Tides

Water **rises** and *falls* twice a day, because of the [Moon](https://example.org/moon "Moon").

| Body | Pull |
| --- | ---: |
| Moon | 2.2 |
| Sun | 1.0 |

1. High tide
2. Low tide
   - ebb
   - flow

> The height follows $h(t) = A \\cos(\\omega t)$, with

$$\\omega = \\frac{2\\pi}{T}$$

```python
def height(t: float) -> float:
    return 2 * math.cos(0.5 * t)  # metres
```

- [x] ~~done~~ `inline <code>`

---

Two snowmen ☃️☃️ and a family 👨‍👩‍👧‍👦 end this.
"""
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>"
    "[link](javascript:alert(3)) ![image](https://evil.example/x.png) <div hx-get=/keys/ hx-trigger=load>hx</div>\n\n"
    "```html\n</code></pre><script>alert(4)</script>\n```\n\n$\\text{<b onclick=alert(5)>x</b>}$ &lt;b&gt;\n"
)
MARKUP = "<img src=x onerror=alert(9)>"
PAGE = "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


def _body(**fields: Any) -> str:
    return json.dumps(fields)


def _openai(message: str, **fields: Any) -> str:
    return _body(error={"message": message, **fields})


JSON, TEXT, HTML, PROBLEM = "application/json", "text/plain", "text/html", "application/problem+json"
NO_CREDIT = "You have exceeded your monthly included credits for Inference Providers. Purchase pre-paid credits."
# Scenario "error-<name>": status, content type, body, and headers beside those.
ERRORS: dict[str, tuple[int, str, str, dict[str, str]]] = {
    "400": (400, JSON, _openai("Something is wrong with this request", type="invalid_request_error"), {}),
    "400-model": (
        400,
        JSON,
        _openai(
            "The requested model 'x/y' is not supported by any provider you have enabled.",
            type="invalid_request_error",
            param="model",
            code="model_not_supported",
        ),
        {},
    ),
    "400-context": (
        400,
        JSON,
        _openai(
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
            type="invalid_request_error",
            param="messages",
            code="context_length_exceeded",
        ),
        {},
    ),
    "400-parameter": (
        400,
        JSON,
        _openai("Unknown parameter: 'top_k'.", type="invalid_request_error", param="top_k", code="unknown_parameter"),
        {},
    ),
    "400-value": (400, JSON, _openai("temperature must be at most 1", param="temperature"), {}),
    "401": (401, JSON, _body(error="Invalid credentials in Authorization header"), {}),
    "401-html": (401, HTML, "<html><title>Sign in</title><body>Invalid username or password.</body></html>", {}),
    "401-empty": (401, TEXT, "", {}),
    "401-header": (401, TEXT, "", {"X-Error-Message": "Invalid credentials in Authorization header"}),
    "402": (402, JSON, _body(error=NO_CREDIT), {}),
    "402-object": (402, JSON, _openai(NO_CREDIT), {}),
    "403": (
        403,
        JSON,
        _body(
            error="This authentication method does not have sufficient permissions to call Inference Providers"
            " on behalf of user anna."
        ),
        {},
    ),
    "403-other": (403, JSON, _body(error="Your prompt was flagged by our safety filter."), {}),
    "403-gated": (
        403,
        JSON,
        _body(error="Access to model meta-llama/Llama-3.1-8B-Instruct is restricted and you are not in the list."),
        {},
    ),
    "404": (404, JSON, _body(error=["Model x/y does not exist"]), {}),
    "408-html": (408, HTML, PAGE, {}),
    "410": (410, TEXT, "https://api-inference.huggingface.co is no longer supported. Use the router instead.", {}),
    "413": (413, TEXT, "Failed to buffer the request body: length limit exceeded", {}),
    "422": (
        422,
        JSON,
        _body(error="Input validation error: `top_p` must be > 0.0 and < 1.0", error_type="validation"),
        {},
    ),
    "422-context": (
        422,
        JSON,
        _body(
            error="Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096.",
            error_type="validation",
        ),
        {},
    ),
    "422-text": (422, TEXT, "Failed to deserialize the JSON body into the target type: stop: invalid type", {}),
    "422-fastapi": (
        422,
        JSON,
        _body(detail=[{"type": "extra_forbidden", "loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]),
        {},
    ),
    "422-problem": (422, PROBLEM, _body(title="Unprocessable", status=422, detail="stop must be a list"), {}),
    "422-template": (422, JSON, _body(error="Template error: template not found", error_type="template_error"), {}),
    "424": (424, JSON, _body(error="Request failed during generation", error_type="generation"), {}),
    "429": (429, JSON, _body(error="Model is overloaded", error_type="overloaded"), {}),
    "429-date": (429, JSON, _body(message="Slow down"), {"Retry-After": "Wed, 21 Oct 2065 07:28:00 GMT"}),
    "429-ratelimit": (429, TEXT, "Too Many Requests", {"RateLimit": '"api";r=0;t=57'}),
    "500": (500, JSON, _body(object="error", message="Internal server error"), {}),
    "500-errors": (500, JSON, _body(errors=[{"message": "worker died"}]), {}),
    "502-html": (502, HTML, PAGE, {}),
    "503": (503, TEXT, "Service Unavailable", {}),
    "503-loading": (503, JSON, _body(error="Model x/y is currently loading", estimated_time=120.0), {}),
    "504-empty": (504, TEXT, "", {}),
    "524-html": (524, HTML, PAGE, {}),
    "redirect": (307, TEXT, "", {"Location": "/v1/elsewhere"}),
    "xss": (400, JSON, _openai(HOSTILE, param=MARKUP, code=MARKUP), {"X-Request-Id": MARKUP}),
    "echoes-key": (400, JSON, "", {}),
}


def _offer(
    provider: str, price: tuple[float, float] | None, context: int | None = 131072, **more: Any
) -> dict[str, Any]:
    offer: dict[str, Any] = {"provider": provider, "status": "live", "is_model_author": False, **more}
    if price:
        offer["pricing"] = {"input": price[0], "output": price[1]}
    if context:
        offer["context_length"] = context
    return offer


def _model(
    name: str, created: int, providers: list[dict[str, Any]], modalities: tuple[str, ...] = ("text",)
) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": name.partition("/")[0],
        "architecture": {"input_modalities": list(modalities), "output_modalities": ["text"]},
        "providers": providers,
    }


_TOOLS: dict[str, Any] = {"supports_tools": True, "supports_structured_output": True}
MODELS: list[dict[str, Any]] = [
    _model(
        "meta-llama/Llama-3.1-8B-Instruct",
        1721692800,
        [
            _offer("cerebras", (0.1, 0.1), 8192, **_TOOLS, first_token_latency_ms=180.5, throughput=2100.0),
            _offer("novita", (0.02, 0.05), first_token_latency_ms=640.0, throughput=71.2),
            _offer("featherless-ai", None, None),
        ],
    ),
    _model(
        "Qwen/Qwen3-32B",
        1745800000,
        [
            _offer("groq", (0.29, 0.59), **_TOOLS, first_token_latency_ms=210.0, throughput=410.0),
            _offer("nscale", (0.08, 0.25), 40960, supports_tools=True, supports_structured_output=False),
        ],
    ),
    _model(
        "deepseek-ai/DeepSeek-R1",
        1737331200,
        [_offer("together", (3.0, 7.0), 163840, **_TOOLS), _offer("fireworks-ai", (2.0, 6.0), 163840, status="error")],
    ),
    _model(
        "google/gemma-3-27b-it",
        1741219200,
        [_offer("scaleway", (0.25, 0.5), 40000, **_TOOLS)],
        modalities=("text", "image"),
    ),
    _model(
        "openai/gpt-oss-120b",
        1754352000,
        [_offer("cerebras", (0.25, 0.69), **_TOOLS), _offer("hf-inference", None, is_free=True)],
    ),
    _model(
        "CohereLabs/command-a-03-2025",
        1741872000,
        [_offer("cohere", (2.5, 10.0), 256000, supports_tools=True, is_model_author=True)],
    ),
    _model("fake/plain", 1700000000, [_offer("fake-provider", (1.0, 2.0), 4096, **_TOOLS)]),
]
HOSTILE_MODEL = _model(
    f"evil/{MARKUP}", 1700000000, [_offer(MARKUP, (-1.0, 1e300), -5, throughput="fast", status=MARKUP)]
)


def _owner(name: str, token: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "user",
        "id": f"id-{name}",
        "name": name,
        "fullname": name.title(),
        "email": f"{name}@example.org",
        "emailVerified": True,
        "canPay": True,
        "isPro": False,
        "periodEnd": None,
        "avatarUrl": "/avatars/1.svg",
        "orgs": [
            {
                "type": "org",
                "id": "id-lab",
                "name": "lab-org",
                "fullname": "The Lab",
                "canPay": True,
                "plan": "team",
                "isEnterprise": True,
            }
        ],
        "auth": {"type": "access_token", "accessToken": token},
    }


def _fine_grained(permissions: list[str]) -> dict[str, Any]:
    entity = {"_id": "id-anna", "type": "user", "name": "anna"}
    rights = {"canReadGatedRepos": True, "global": [], "scoped": [{"entity": entity, "permissions": permissions}]}
    return {
        "displayName": "playground",
        "role": "fineGrained",
        "createdAt": "2026-01-01T00:00:00Z",
        "fineGrained": rights,
    }


# A token is known by how it begins.
OWNERS: dict[str, dict[str, Any]] = {
    "hf_good": _owner("anna", _fine_grained(["inference.serverless.write", "inference.endpoints.infer.write"])),
    "hf_poor": _owner("paul", _fine_grained(["inference.serverless.write"])),
    "hf_read": _owner("rita", {"displayName": "read", "role": "read", "createdAt": "2026-01-01T00:00:00Z"}),
    "hf_norights": _owner("nora", _fine_grained(["repo.content.read"])),
}
