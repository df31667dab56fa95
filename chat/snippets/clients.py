"""The programs a call can be taken away as: one entry for each client library, in the order of the tabs.

What a client calls an argument, and what it has no argument for, is here; how a program looks is in its text file.
"""

from dataclasses import dataclass
from typing import TypeAlias

Names: TypeAlias = frozenset[str]

# What `InferenceClient.chat.completions.create` takes (huggingface_hub); all else goes through `extra_body`.
_HUGGINGFACE_HUB = frozenset(
    ("model", "messages", "frequency_penalty", "logprobs", "max_tokens", "presence_penalty", "response_format", "seed")
    + ("stop", "stream", "stream_options", "temperature", "tool_choice", "tool_prompt", "tools", "top_logprobs")
    + ("top_p",)
)
# The same of openai's `chat.completions.create`.
_OPENAI = frozenset(
    ("model", "messages", "frequency_penalty", "logit_bias", "logprobs", "max_completion_tokens", "max_tokens", "n")
    + ("parallel_tool_calls", "presence_penalty", "reasoning_effort", "response_format", "seed", "stop", "stream")
    + ("stream_options", "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user")
)


@dataclass(frozen=True, slots=True)
class Client:
    """One library in one language.

    ``slug`` names its text file and its tab's address; ``lexer`` is the name Pygments has for the language.
    ``named`` are the fields of a request that its call has arguments for; None: it takes the body as it is.
    """

    slug: str
    label: str
    language: str
    lexer: str
    install: str
    named: Names | None = None


CLIENTS = (
    Client("huggingface_hub", "huggingface_hub", "Python", "python", "pip install huggingface_hub", _HUGGINGFACE_HUB),
    Client("openai", "openai", "Python", "python", "pip install openai", _OPENAI),
    Client("httpx", "httpx", "Python", "python", "pip install httpx"),
    Client("requests", "requests", "Python", "python", "pip install requests"),
    # It imports mcp as soon as a call has tools, and does not install it.
    Client("litellm", "litellm", "Python", "python", "pip install litellm mcp", _OPENAI),
    Client("inference_js", "@huggingface/inference", "JavaScript", "javascript", "npm install @huggingface/inference"),
    Client("openai_js", "openai", "JavaScript", "javascript", "npm install openai"),
    Client("fetch_js", "fetch", "JavaScript", "javascript", ""),
    Client("ellmer", "ellmer", "R", "r", 'install.packages("ellmer")'),
    Client("curl", "cURL", "Shell", "bash", ""),
)
CLIENTS_BY_SLUG = {client.slug: client for client in CLIENTS}
