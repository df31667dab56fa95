"""The wire: speaks the OpenAI-style chat completion protocol to any provider and knows nothing of Django.

A ChatRequest becomes a WireRequest (`payload`), is sent (`client`), comes back as bytes that turn into events (`sse`)
and then into token events (`decoding`, `events`). Whatever goes wrong is one ProviderError (`errors`).
"""
