"""Calls to an upstream of another format: real SDKs on one side, the other provider's API on the other."""

import json
from typing import Any

import openai
import pytest
from interceptor import ANTHROPIC, CARD, EMAIL, OPENAI, Interceptor, assert_clean, chat, message, rules_for, trusted

from outwarden.simulate import Script, SimulatedProvider
from outwarden.simulate.script import ToolCall

SAID = f"write to {EMAIL} about {CARD}"
SCHEMA = {"type": "object", "properties": {"to": {"type": "string"}}}


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor that sends each provider's calls to the other."""

    def upstream(provider: str, model: str, auth: dict[str, Any]) -> dict[str, Any]:
        url = f"https://127.0.0.1:{primary.port}" + ("/v1" if provider == "openai" else "")
        own = {"url": url, "provider": provider, "format": provider, "model": model, "auth": auth}
        return own | {"trust": str(trusted(primary))}

    rules = rules_for(primary)
    rules["routes"] = {
        "upstreams": {
            "claude": upstream("anthropic", "claude-opus-4-5", {"header": {"x-api-key": "env:HOME"}}),
            "gpt": upstream("openai", "gpt-4o", {"bearer": "env:HOME"}),
        },
        "routes": [
            {"name": "to-claude", "match": {"model": "gpt-4o"}, "targets": ["claude"]},
            {"name": "to-gpt", "match": {"model": "claude*"}, "targets": ["gpt"]},
            {"name": "spare", "match": {"model": "gpt-4.1"}, "targets": ["claude", "original"]},
        ],
    }
    rules["budgets"] = {"budgets": [{"name": "day", "scope": "all", "limit_usd": 100, "window": "day"}]}
    return start(rules)


def test_the_openai_sdk_streams_from_anthropic(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Text and a tool call come back, restored; the provider saw no value; the cost is of its own usage."""
    provider.queue(Script(text="", tool_calls=(ToolCall("send", json.dumps({"to": "x"})),)))
    tool = {"type": "function", "function": {"name": "send", "description": "Send.", "parameters": SCHEMA}}
    with outwarden.openai().chat.completions.create(  # type: ignore[call-overload]  # plain dicts
        model="gpt-4o", messages=chat(SAID)["messages"], tools=[tool], stream=True
    ) as stream:
        chunks = list(stream)
    call_id = stream.response.headers["x-outwarden-call-id"]
    calls = [call for chunk in chunks for choice in chunk.choices for call in choice.delta.tool_calls or []]

    assert calls[0].function.name == "send"
    assert json.loads("".join(call.function.arguments or "" for call in calls)) == {"to": "x"}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert provider.requests[0].path == "/v1/messages"
    assert provider.requests[0].header("anthropic-version") == "2023-06-01"
    assert provider.requests[0].header("authorization") is None
    assert_clean(provider)
    record = outwarden.record(call_id)
    assert (record["served"]["provider"], record["usage_source"]) == ("anthropic", "provider")
    assert float(record["cost_usd"]) > 0


def test_the_openai_sdk_gets_its_own_values_back(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Streamed with usage, and whole."""
    client = outwarden.openai()
    whole = client.chat.completions.create(model="gpt-4o", messages=chat(SAID)["messages"])
    options: Any = {"include_usage": True}
    stream = client.chat.completions.create(
        model="gpt-4o", messages=chat(SAID)["messages"], stream=True, stream_options=options
    )
    chunks = list(stream)

    assert whole.choices[0].message.content == SAID
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == SAID
    assert chunks[-1].usage.completion_tokens > 0
    assert_clean(provider)


def test_the_anthropic_sdk_gets_its_own_values_back_from_openai(
    outwarden: Interceptor, provider: SimulatedProvider
) -> None:
    """Whole, and streamed with a tool call behind."""
    client = outwarden.anthropic()
    asked: Any = {"model": "claude-opus-5", "max_tokens": 200, "messages": message(SAID)["messages"]}
    whole = client.messages.create(**asked)
    with client.messages.stream(**asked) as stream:
        final = stream.get_final_message()
    provider.queue(Script(text="", tool_calls=(ToolCall("send", json.dumps({"to": "x"})),)))
    tools: Any = [{"name": "send", "input_schema": SCHEMA}]
    with client.messages.stream(**asked, tools=tools) as stream:
        called = stream.get_final_message()
    record = outwarden.record(stream.response.headers["x-outwarden-call-id"])

    assert whole.content[0].text == final.content[0].text == SAID  # type: ignore[union-attr]
    assert min(whole.usage.output_tokens, final.usage.output_tokens) > 0
    assert (called.stop_reason, called.content[-1].input) == ("tool_use", {"to": "x"})  # type: ignore[union-attr]
    assert {seen.path for seen in provider.requests} == {"/v1/chat/completions"}
    assert_clean(provider)
    assert (record["served"]["provider"], record["usage_source"]) == ("openai", "provider")


def test_what_cannot_be_said_is_refused_before_it_is_sent(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """In the caller's own shape, with the field; where another target reads the call, that one serves it."""
    client = outwarden.openai()
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="gpt-4o", messages=chat("Hi")["messages"], seed=7)
    assert (refused.value.code, "seed" in refused.value.message) == ("not_translatable", True)
    assert not provider.requests

    with outwarden.http() as http:
        answer = http.post(f"https://{OPENAI}/v1/chat/completions", json=chat("Hi", model="gpt-4.1", seed=7))
    attempts = {one["upstream"]: one["outcome"] for one in outwarden.record(answer)["attempts"]}
    assert answer.status_code == 200
    assert attempts == {"claude": "not_translatable", "original": "ok"}


@pytest.mark.parametrize(
    ("host", "path", "body", "shape"),
    [
        (OPENAI, "/v1/chat/completions", chat("Hi"), ("error",)),
        (ANTHROPIC, "/v1/messages", message("Hi"), ("type", "error")),
    ],
)
def test_the_others_errors_have_the_callers_shape(
    outwarden: Interceptor, provider: SimulatedProvider, host: str, path: str, body: Any, shape: tuple[str, ...]
) -> None:
    """Whole, and inside of a stream."""
    provider.queue(Script(status=400), Script(error_after=1))
    with outwarden.http() as http:
        whole = http.post(f"https://{host}{path}", json=body)
        stream = http.post(f"https://{host}{path}", json=body | {"stream": True})

    assert whole.status_code == 400
    assert tuple(name for name in shape if name in whole.json()) == shape
    assert ("event: error" in stream.text) == (host == ANTHROPIC)
    assert '"error"' in stream.text
    assert "[DONE]" not in stream.text
    assert "message_stop" not in stream.text


@pytest.mark.parametrize(
    ("host", "path", "body", "end"),
    [
        (OPENAI, "/v1/chat/completions", chat(SAID, stream=True), "[DONE]"),
        (ANTHROPIC, "/v1/messages", message(SAID, stream=True), "message_stop"),
    ],
)
def test_a_stream_that_is_cut_never_looks_whole(
    outwarden: Interceptor, provider: SimulatedProvider, host: str, path: str, body: Any, end: str
) -> None:
    """It ends with the error event of the caller's format."""
    provider.queue(Script(cut_after=3))
    with outwarden.http() as http:
        answer = http.post(f"https://{host}{path}", json=body)

    assert '"error"' in answer.text
    assert end not in answer.text
