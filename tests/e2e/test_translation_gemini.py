"""Calls between Gemini and the two other formats: the real SDKs on one side, another provider's API on the other."""

import base64
import json
import re
from typing import Any

import pytest
from google.genai import errors, types
from interceptor import (
    ANTHROPIC,
    CARD,
    EMAIL,
    GEMINI,
    OPENAI,
    Interceptor,
    assert_clean,
    chat,
    contents,
    message,
    rules_for,
    trusted,
    until,
)

from outwarden.simulate import Script, SimulatedProvider
from outwarden.simulate.script import ToolCall

SAID = f"write to {EMAIL} about {CARD}"
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"to": {"type": "string"}}, "required": ["to"]}
# The models that go to another format, by which.
TO = {"openai": "gemini-3-flash", "anthropic": "gemini-3-pro"}
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor that sends Gemini's calls to the others and theirs to Gemini."""

    def upstream(format_: str, provider: str, model: str, auth: dict[str, Any], path: str = "") -> dict[str, Any]:
        url = f"https://127.0.0.1:{primary.port}{path}"
        own = {"url": url, "provider": provider, "format": format_, "model": model, "auth": auth}
        return own | {"trust": str(trusted(primary))}

    vertex = "/v1/projects/p/locations/eu/publishers/google"
    rules = rules_for(primary)
    rules["routes"] = {
        "upstreams": {
            "claude": upstream("anthropic", "anthropic", "claude-opus-4-5", {"header": {"x-api-key": "env:HOME"}}),
            "gpt": upstream("openai", "openai", "gpt-4o", {"bearer": "env:HOME"}, "/v1"),
            "gem": upstream("gemini", "google", "gemini-2.5-pro", {"header": {"x-goog-api-key": "env:HOME"}}),
            "vertex": upstream("gemini", "google", "gemini-2.5-flash", {"bearer": "env:HOME"}, vertex),
        },
        "routes": [
            {"name": "to-gpt", "match": {"model": TO["openai"]}, "targets": ["gpt"]},
            {"name": "to-claude", "match": {"model": TO["anthropic"]}, "targets": ["claude"]},
            {"name": "spare", "match": {"model": "gemini-2.5-flash"}, "targets": ["original", "gpt"]},
            {"name": "to-gem", "match": {"model": "gpt-4o"}, "targets": ["gem"]},
            {"name": "to-vertex", "match": {"model": "claude*"}, "targets": ["vertex"]},
        ],
    }
    rules["budgets"] = {"budgets": [{"name": "day", "scope": "all", "limit_usd": 100, "window": "day"}]}
    return start(rules)


def function() -> types.Tool:
    """One tool, as the SDK declares it."""
    schema = {"type": "OBJECT", "properties": {"to": {"type": "STRING"}}, "required": ["to"]}
    return types.Tool(function_declarations=[types.FunctionDeclaration(name="send", parameters=schema)])  # type: ignore[arg-type]


def config(**more: Any) -> types.GenerateContentConfig:
    """Nothing but the SDK's own calls of tools switched off."""
    off = types.AutomaticFunctionCallingConfig(disable=True)
    return types.GenerateContentConfig(automatic_function_calling=off, **more)


def placeholder(provider: SimulatedProvider) -> str:
    """What stands for the planted address in the request that came last."""
    found = re.search(rb"\[EMAIL_ADDRESS_[0-9a-f]+\]", provider.requests[-1].body)
    assert found
    return found[0].decode()


def send_to(address: str) -> Script:
    """The model calls the tool."""
    return Script(text="", tool_calls=(ToolCall("send", json.dumps({"to": address})),))


@pytest.mark.parametrize("upstream", sorted(TO))
def test_the_google_sdk_gets_its_own_values_back(
    outwarden: Interceptor, provider: SimulatedProvider, upstream: str
) -> None:
    """Whole and streamed; the provider saw no value and not the caller's key; the cost is of its own usage."""
    client, model = outwarden.gemini(), TO[upstream]
    settings = config(system_instruction="Be kind.", max_output_tokens=200, temperature=0.5)
    whole = client.models.generate_content(model=model, contents=SAID, config=settings)
    chunks = list(client.models.generate_content_stream(model=model, contents=SAID, config=settings))
    record = outwarden.record(whole.sdk_http_response.headers["x-outwarden-call-id"])

    assert whole.text == "".join(chunk.text or "" for chunk in chunks) == SAID
    assert whole.candidates
    assert whole.candidates[0].finish_reason == types.FinishReason.STOP
    assert chunks[-1].candidates
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert all(said and said.candidates_token_count for said in (whole.usage_metadata, chunks[-1].usage_metadata))
    assert [seen.path for seen in provider.requests] == [PATHS[upstream]] * 2
    assert not any(seen.header("x-goog-api-key") or seen.header("x-goog-api-client") for seen in provider.requests)
    assert_clean(provider)
    assert (record["served"]["provider"], record["usage_source"]) == (upstream, "provider")
    assert float(record["cost_usd"]) > 0


@pytest.mark.parametrize("upstream", sorted(TO))
def test_the_google_sdk_calls_tools_of_another_model(
    outwarden: Interceptor, provider: SimulatedProvider, upstream: str
) -> None:
    """A call whole and streamed, and its result in the next turn; a value in its arguments is the caller's again."""
    client, model, settings = outwarden.gemini(), TO[upstream], config(tools=[function()])
    client.models.generate_content(model=model, contents=EMAIL)
    call = send_to(placeholder(provider))
    provider.queue(call, call, Script(text=f"Sent to {EMAIL}."))
    whole = client.models.generate_content(model=model, contents=EMAIL, config=settings)
    chunks = list(client.models.generate_content_stream(model=model, contents=EMAIL, config=settings))
    streamed = [call for chunk in chunks for call in chunk.function_calls or []]
    assert whole.function_calls
    assert whole.candidates
    assert whole.candidates[0].content
    answer = types.Part.from_function_response(name="send", response={"output": f"sent to {EMAIL}"})
    turns: Any = [EMAIL, whole.candidates[0].content, types.Content(role="user", parts=[answer])]
    last = client.models.generate_content(model=model, contents=turns, config=settings)
    asked = json.loads(provider.requests[-1].body)

    assert whole.function_calls[0].args == streamed[0].args == {"to": EMAIL}
    signature = whole.candidates[0].content.parts[0].thought_signature  # the SDK makes bytes of it, and base64 again
    assert base64.urlsafe_b64encode(signature) == b"skip_thought_signature_validator"
    assert whole.function_calls[0].id
    assert len(asked["messages"]) == 3
    assert whole.function_calls[0].id in json.dumps(asked["messages"][-1])  # an answer without id finds its call
    assert last.text == f"Sent to {EMAIL}."
    assert_clean(provider)


@pytest.mark.parametrize("upstream", sorted(TO))
def test_an_agent_of_the_google_sdk_runs_on_another_model(
    outwarden: Interceptor, provider: SimulatedProvider, upstream: str
) -> None:
    """The SDK calls a function of Python's by itself, and sees the address that the model was never shown."""
    seen: list[str] = []

    def send(to: str) -> str:
        """Send the report."""
        seen.append(to)
        return f"sent to {to}"

    client = outwarden.gemini()
    client.models.generate_content(model=TO[upstream], contents=EMAIL)
    provider.queue(send_to(placeholder(provider)), Script(text="Done."))
    settings = types.GenerateContentConfig(tools=[send])
    said = client.models.generate_content(model=TO[upstream], contents=f"Report to {EMAIL}", config=settings)

    assert (said.text, seen) == ("Done.", [EMAIL])
    assert "sent to" in provider.requests[-1].body.decode()
    assert_clean(provider)


@pytest.mark.parametrize("upstream", sorted(TO))
def test_a_picture_of_the_google_sdk_arrives(
    outwarden: Interceptor, provider: SimulatedProvider, upstream: str
) -> None:
    """Google's SDK writes base64 in another alphabet than the others read."""
    picture = bytes(range(256))
    shown = [types.Part.from_bytes(data=picture, mime_type="image/png"), "What is it?"]
    client = outwarden.gemini()
    client.models.generate_content(model=TO[upstream], contents=shown)
    part = json.loads(provider.requests[0].body)["messages"][0]["content"][0]
    data = part["source"]["data"] if upstream == "anthropic" else part["image_url"]["url"].partition(",")[2]

    assert base64.b64decode(data, validate=True) == picture


def test_the_google_sdk_gets_an_answer_of_its_schema(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Structured output: the schema reaches OpenAI as JSON Schema, closed, and the answer is parsed."""
    provider.queue(Script(text='{"to": "x"}'))
    schema: Any = {"type": "OBJECT", "properties": {"to": {"type": "STRING"}}, "required": ["to"]}
    settings = config(response_mime_type="application/json", response_schema=schema)
    client = outwarden.gemini()
    said = client.models.generate_content(model=TO["openai"], contents="Hi", config=settings)
    form = json.loads(provider.requests[0].body)["response_format"]

    assert said.parsed == {"to": "x"}
    assert form["json_schema"]["schema"] == SCHEMA | {"additionalProperties": False}


def test_a_call_moves_from_gemini_to_openai_when_gemini_fails(
    outwarden: Interceptor, provider: SimulatedProvider
) -> None:
    """The program notices nothing, also in a stream; the one hold is settled by who served."""
    client = outwarden.gemini()
    seen = outwarden.count_records()
    provider.clear()
    provider.queue(Script(status=503), Script(), Script(error_after=0))
    whole = client.models.generate_content(model="gemini-2.5-flash", contents=SAID)
    chunks = list(client.models.generate_content_stream(model="gemini-2.5-flash", contents=SAID))
    records = outwarden.new_records(seen, 2)
    day = until(lambda: next((one for one in outwarden.budgets() if float(one["pending_usd"]) == 0), None))

    assert whole.text == "".join(chunk.text or "" for chunk in chunks) == SAID
    assert [request.path.partition("?")[0].rpartition("/")[2] for request in provider.requests] == [
        "gemini-2.5-flash:generateContent",
        "completions",
        "gemini-2.5-flash:streamGenerateContent",
        "completions",
    ]
    assert {(record["served"]["provider"], record["usage_source"]) for record in records} == {("openai", "provider")}
    assert all(float(record["cost_usd"]) > 0 for record in records)
    assert float(day["posted_usd"]) > 0
    assert [[one["outcome"] for one in record["attempts"]] for record in records] == [
        ["5xx", "ok"],
        ["stream_error", "ok"],
    ]
    assert_clean(provider)


def test_a_stream_comes_as_an_array_to_who_asks_for_one(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Without ``alt=sse`` a stream is one JSON array, piece by piece; one that breaks off is no array of answers."""
    url = f"https://{GEMINI}/v1beta/models/{TO['openai']}:streamGenerateContent"
    with outwarden.http() as http:
        whole = http.post(url, json=contents(SAID))
        provider.queue(Script(cut_after=3))
        cut = http.post(url, json=contents(SAID))
    texts = [chunk["candidates"][0]["content"]["parts"][0]["text"] for chunk in whole.json()]

    assert whole.headers["content-type"] == "application/json"
    assert ("".join(texts), len(texts) > 2) == (SAID, True)
    assert whole.json()[-1]["candidates"][0]["finishReason"] == "STOP"
    assert cut.json()[-1]["error"]["status"]
    assert "finishReason" not in cut.text
    assert_clean(provider)


def test_the_openai_sdk_speaks_with_gemini(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Whole, streamed, a tool and its result; model, streaming and key stand where Gemini looks for them."""
    client = outwarden.openai()
    tool = {"type": "function", "function": {"name": "send", "description": "Send.", "parameters": SCHEMA}}
    asked: Any = {"model": "gpt-4o", "messages": chat(SAID)["messages"], "tools": [tool]}
    whole = client.chat.completions.create(**asked)
    chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    call = send_to(placeholder(provider))
    provider.queue(call, call, Script(text=f"Sent to {EMAIL}.", thinking="Hm."))
    called = client.chat.completions.create(**asked).choices[0].message
    pieces = list(client.chat.completions.create(**asked, stream=True))
    result = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": f"sent to {EMAIL}"}
    turns = [*asked["messages"], called.model_dump(exclude_none=True), result]
    raw = client.chat.completions.with_raw_response.create(**asked | {"messages": turns})
    last, record = raw.parse(), outwarden.record(raw)
    calls = [call for chunk in pieces for choice in chunk.choices for call in choice.delta.tool_calls or []]

    assert whole.choices[0].message.content == SAID
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == SAID
    assert chunks[-1].usage.completion_tokens > 0
    assert json.loads(called.tool_calls[0].function.arguments) == {"to": EMAIL}
    assert json.loads("".join(call.function.arguments or "" for call in calls)) == {"to": EMAIL}
    assert pieces[-1].choices[0].finish_reason == "tool_calls"
    assert last.choices[0].message.content == f"Sent to {EMAIL}."  # what it thought stays with it
    assert last.usage
    assert last.usage.completion_tokens_details
    assert last.usage.completion_tokens_details.reasoning_tokens
    assert {seen.path for seen in provider.requests} == {
        "/v1beta/models/gemini-2.5-pro:generateContent",
        "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
    }
    assert all(seen.header("x-goog-api-key") and not seen.header("authorization") for seen in provider.requests)
    assert_clean(provider)
    assert (record["served"]["provider"], record["usage_source"]) == ("google", "provider")
    assert float(record["cost_usd"]) > 0


def test_the_anthropic_sdk_speaks_with_gemini_at_vertex(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """Whole, streamed, and a tool; the path is below the project that the url names."""
    client = outwarden.anthropic()
    asked: Any = {"model": "claude-opus-5", "max_tokens": 200, "messages": message(SAID)["messages"]}
    whole = client.messages.create(**asked, metadata={"user_id": "u-1"})
    with client.messages.stream(**asked) as stream:
        final = stream.get_final_message()
    provider.queue(send_to(placeholder(provider)))
    with client.messages.stream(**asked, tools=[{"name": "send", "input_schema": SCHEMA}]) as stream:
        called = stream.get_final_message()

    assert whole.content[0].text == final.content[0].text == SAID  # type: ignore[union-attr]
    assert min(whole.usage.output_tokens, final.usage.output_tokens) > 0
    assert (called.stop_reason, called.content[-1].input) == ("tool_use", {"to": EMAIL})  # type: ignore[union-attr]
    base = "/v1/projects/p/locations/eu/publishers/google/models/gemini-2.5-flash:"
    assert [seen.path for seen in provider.requests] == [
        f"{base}generateContent",
        *[f"{base}streamGenerateContent?alt=sse"] * 2,
    ]
    assert_clean(provider)


def test_what_cannot_be_said_is_refused_in_googles_shape(outwarden: Interceptor, provider: SimulatedProvider) -> None:
    """With the field; nothing is sent."""
    client = outwarden.gemini()
    with pytest.raises(errors.ClientError) as refused:
        client.models.generate_content(model=TO["openai"], contents="Hi", config=config(top_k=3))

    assert (refused.value.code, refused.value.status) == (400, "INVALID_ARGUMENT")
    assert "not_translatable" in str(refused.value)
    assert "top_k" in str(refused.value)
    assert not provider.requests


@pytest.mark.parametrize(
    ("host", "path", "body", "end"),
    [
        (GEMINI, f"/v1beta/models/{TO['openai']}:streamGenerateContent?alt=sse", contents(SAID), "finishReason"),
        (GEMINI, f"/v1beta/models/{TO['anthropic']}:streamGenerateContent?alt=sse", contents(SAID), "finishReason"),
        (OPENAI, "/v1/chat/completions", chat(SAID, stream=True), "[DONE]"),
        (ANTHROPIC, "/v1/messages", message(SAID, stream=True), "message_stop"),
    ],
)
def test_errors_and_cuts_have_the_callers_shape(
    outwarden: Interceptor, provider: SimulatedProvider, host: str, path: str, body: Any, end: str
) -> None:
    """An error before and inside of a stream, and a cut: each says that it failed, none looks whole."""
    provider.queue(Script(status=400), Script(error_after=2), Script(cut_after=3), Script(end_marker=False))
    with outwarden.http() as http:
        answers = [http.post(f"https://{host}{path}", json=body) for _ in range(3)]

    assert answers[0].status_code == 400
    assert "message" in answers[0].json()["error"]
    for answer in answers:
        assert '"error"' in answer.text
        assert end not in answer.text
    if host == GEMINI:
        assert answers[0].json()["error"]["status"] == "INVALID_ARGUMENT"
    assert_clean(provider)
