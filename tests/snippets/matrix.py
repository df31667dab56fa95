"""Requests of every shape that people can put together, each with a name; the matrix that programs are tried with."""

from dataclasses import replace
from typing import Any

from chat.providers.requests import ChatRequest, EndpointKind, WireMessage

ASKED: WireMessage = {"role": "user", "content": "Say something."}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "strict": True,
        "schema": {"type": "object", "properties": {"n": {"type": ["integer", "null"]}}, "required": ["n"]},
    },
}
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Today's weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string", "enum": ["Wien", "Graz"]}}},
    },
}
CALLED: WireMessage = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Wien"}'}}
    ],
}
PICTURE = "data:image/png;base64,iVBORw0KGgo="
TEXTS = {
    "quotes": """It's "quoted" `here` and '''there''' and \"\"\"there\"\"\".""",
    "shell": "$HOME $(id) `id` !! \\ ' \" ; & | > < * ? ~ # {a,b}",
    "end of a here-document": "before\nJSON\nafter",
    "templates": "${process.env.HF_TOKEN} {variable} %s %(name)s {{ variable }} {% now 'Y' %}",
    "escapes": "back\\slash \\n \\u0041 tab\tnew\nline\r\n",
    "unicode": "Grüße 😀 日本語 עברית \u202e\u2028\u2029\u00a0\ufeff",
    "control characters": "bell\x07 escape\x1b[31m delete\x7f",
    "markup": "<script>alert(1)</script> &amp; <!-- -->",
    "nothing": "",
    "spaces": "  around  ",
    "long": "word " * 40_000,
}


def asking(*messages: WireMessage, **fields: Any) -> ChatRequest:
    return ChatRequest(EndpointKind.ROUTER, "", "fake/plain", messages or (ASKED,), **fields)


def with_parameters(**parameters: Any) -> ChatRequest:
    return asking(parameters=parameters)


REQUESTS: dict[str, ChatRequest] = {
    "a question": asking(),
    "a provider": replace(asking(), model="fake/plain:cerebras"),
    "system prompt": asking({"role": "system", "content": "Be terse."}, ASKED),
    "history": asking(ASKED, {"role": "assistant", "content": "Something."}, {"role": "user", "content": "More."}),
    "a name": asking({"role": "user", "content": "I am Anna.", "name": "Anna"}),
    **{f"text: {name}": asking({"role": "user", "content": text}) for name, text in TEXTS.items()},
    "system prompt with quotes": asking({"role": "system", "content": TEXTS["quotes"]}, ASKED),
    "temperature 0": with_parameters(temperature=0),
    "temperature 0.0": with_parameters(temperature=0.0),
    "small numbers": with_parameters(temperature=1e-07, top_p=0.30000000000000004),
    "max tokens": with_parameters(max_tokens=17),
    "penalties": with_parameters(frequency_penalty=-2.0, presence_penalty=0),
    "seed 0": with_parameters(seed=0),
    "large seed": with_parameters(seed=2**53 - 1),
    "stop": with_parameters(stop=["\n\n", "'", '"', "</s>"]),
    "log probabilities": with_parameters(logprobs=True, top_logprobs=0),
    "no log probabilities": with_parameters(logprobs=False),
    "outside the specification": with_parameters(top_k=5, min_p=0.05, repetition_penalty=1.1),
    "reasoning effort": with_parameters(reasoning_effort="low"),
    "not streamed": with_parameters(stream=False),
    "not streamed, with parameters": with_parameters(stream=False, temperature=0, top_k=1, stop=["x"]),
    "without usage": with_parameters(stream_usage=False),
    "JSON schema": asking(extra_body={"response_format": SCHEMA}),
    "JSON object": asking(extra_body={"response_format": {"type": "json_object"}}),
    "regex of TGI": asking(extra_body={"response_format": {"type": "regex", "value": "[a-z]+\\d?'\""}}),
    "tools": asking(extra_body={"tools": [TOOL], "tool_choice": "auto"}),
    "a named tool": asking(
        extra_body={"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "weather"}}}
    ),
    "tool loop": asking(
        ASKED,
        CALLED,
        {"role": "tool", "tool_call_id": "call_1", "content": '{"degrees": 21}'},
        extra_body={"tools": [TOOL]},
    ),
    "picture": asking(
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What's this?"},
                {"type": "image_url", "image_url": {"url": PICTURE}},
                {"type": "text", "text": "And this?"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png?b='c'&d=\"e\""}},
            ],
        }
    ),
    "extra fields": asking(
        extra_body={"chat_template_kwargs": {"enable-thinking": False, "__proto__": {"a": 1}, "1": [], "x": {}}}
    ),
    "extra values": asking(extra_body={"a": 0, "b": "", "c": False, "d": [None, 0, -1.5, True, ""], "e": {"f": []}}),
    "names that languages reserve": asking(extra_body={"class": 1, "function": 2, "if": 3, "a b": 4, "é": 5, "`": 6}),
    "extra headers": asking(extra_headers={"X-Use-Cache": "false", "X-Odd": 'it\'s "odd" $HOME `id`'}),
    "a header of our own, changed": asking(extra_headers={"User-Agent": "me/1.0"}),
    "bill to": asking(bill_to="lab-org"),
    "bill to and headers": asking(bill_to="lab-org", extra_headers={"X-Wait-For-Model": "true"}),
    "everything": asking(
        {"role": "system", "content": TEXTS["unicode"]},
        ASKED,
        {"role": "assistant", "content": TEXTS["quotes"]},
        {"role": "user", "content": TEXTS["shell"]},
        parameters={"temperature": 0, "top_k": 3, "stop": ["a"], "logprobs": True, "top_logprobs": 2, "seed": 0},
        extra_body={"tools": [TOOL], "response_format": SCHEMA, "deep": {"a": {"b": [1, {"c": None}]}}},
        extra_headers={"X-Scale-Up-Timeout": "600"},
        bill_to="lab-org",
    ),
    "a model on this machine": replace(asking(), kind=EndpointKind.LOCAL),
    "a server of one's own": replace(asking(), kind=EndpointKind.OPENAI),
}
