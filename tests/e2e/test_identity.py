"""A conversation over several turns: what a provider produced reaches it again as it produced it.

The caller sees its own values, sends the answers back with them, and the provider reads its own words: prompt caches
stay warm, signed thinking stays valid.
"""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from interceptor import EMAIL, RECORD, Interceptor, assert_clean, message, rules_for

from outwarden.simulate import Script, SimulatedProvider, ToolCall

SSN = "281440067"  # without its dashes only the word before it tells what it is
SAID = f"I am {EMAIL}, my ssn is {SSN}, my record {RECORD} “é” 🙂."
NAME = re.compile(r"\[[A-Z_]+_[0-9a-f]{6}\]")
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"to": {"type": "string"}}}


@pytest.fixture(scope="module")
def outwarden(primary: SimulatedProvider, start: Any) -> Interceptor:
    """One interceptor for this module."""
    return start(rules_for(primary))


@pytest.fixture(autouse=True)
def clean_afterwards(provider: SimulatedProvider) -> Iterator[None]:
    """Nothing planted leaves, in no turn."""
    yield
    assert_clean(provider, [EMAIL, RECORD, SSN])


@pytest.fixture
def scripts(outwarden: Interceptor, provider: SimulatedProvider) -> list[Script]:
    """What the provider says in each turn: the caller's placeholders in text, thinking and arguments, bare of what
    told what they are."""
    outwarden.openai().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": SAID}])
    mail, ssn, record = NAME.findall(provider.requests[-1].json()["messages"][0]["content"])
    provider.clear()
    said = [f"Noted é 🙂: {ssn}, `{mail}`\n- {record}/x \\ “{ssn}”", f"Sent to {mail}.\n\n{ssn}?", f"{ssn}\n{mail}"]
    arguments = json.dumps({"to": mail, "note": f'"{ssn}"\n\\é', "ids": [record, {ssn: 1.50}]}, ensure_ascii=False)
    return [
        Script(text=text, thinking=f"{ssn} is {mail}", tool_calls=(ToolCall("send", arguments),), piece_chars=3)
        for text in said
    ]


def arguments_of(script: Script) -> str:
    return script.tool_calls[0].arguments


@pytest.mark.parametrize("stream", [False, True])
def test_openai_chat(outwarden: Interceptor, provider: SimulatedProvider, scripts: list[Script], stream: bool) -> None:
    """Texts and arguments come back to the byte, and each turn repeats the last one's messages."""
    client = outwarden.openai()
    tools: Any = [{"type": "function", "function": {"name": "send", "parameters": SCHEMA}}]
    messages: list[Any] = [{"role": "user", "content": SAID}]
    for script in scripts:
        provider.queue(script)
        if stream:
            chunks = client.chat.completions.create(model="gpt-4o", messages=messages, tools=tools, stream=True)
            answer = joined(chunks)
        else:
            whole = client.chat.completions.create(model="gpt-4o", messages=messages, tools=tools)
            answer = whole.choices[0].message.model_dump(include={"role", "content", "tool_calls"})
        assert SSN in answer["content"]
        assert json.loads(answer["tool_calls"][0]["function"]["arguments"])["to"] == EMAIL
        result = {"role": "tool", "tool_call_id": answer["tool_calls"][0]["id"], "content": f"done for {SSN}"}
        messages += [answer, result]
    client.chat.completions.create(model="gpt-4o", messages=messages, tools=tools)

    seen = [request.json()["messages"] for request in provider.requests]
    for before, after in pairwise(seen):
        assert after[: len(before)] == before
    answers = [one for one in seen[-1] if one["role"] == "assistant"]
    assert [one["content"] for one in answers] == [script.text for script in scripts]
    assert [one["tool_calls"][0]["function"]["arguments"] for one in answers] == [*map(arguments_of, scripts)]


def joined(chunks: Any) -> dict[str, Any]:
    """The message that a chat stream builds up."""
    call: dict[str, Any] = {"type": "function", "function": {"name": "", "arguments": ""}}
    content = ""
    for chunk in chunks:
        for choice in chunk.choices:
            content += choice.delta.content or ""
            for piece in choice.delta.tool_calls or []:
                call["id"] = piece.id or call["id"]
                call["function"]["name"] += piece.function.name or ""
                call["function"]["arguments"] += piece.function.arguments or ""
    return {"role": "assistant", "content": content, "tool_calls": [call]}


@pytest.mark.parametrize("stream", [False, True])
def test_openai_responses(
    outwarden: Interceptor, provider: SimulatedProvider, scripts: list[Script], stream: bool
) -> None:
    """The items of the output go back as items of the input."""
    client = outwarden.openai()
    tools: Any = [{"type": "function", "name": "send", "parameters": SCHEMA, "strict": False}]
    items: list[Any] = [{"role": "user", "content": SAID}]
    for script in scripts:
        provider.queue(script)
        answer: Any = client.responses.create(model="gpt-5", input=items, tools=tools, stream=stream)
        final = list(answer)[-1].response if stream else answer
        output = [item.model_dump(exclude_none=True) for item in final.output]
        assert SSN in final.output_text
        items += output
        calls = [item for item in output if item["type"] == "function_call"]
        items += [{"type": "function_call_output", "call_id": one["call_id"], "output": EMAIL} for one in calls]
    client.responses.create(model="gpt-5", input=items, tools=tools)

    seen = [request.json()["input"] for request in provider.requests]
    for before, after in pairwise(seen):
        assert after[: len(before)] == before
    texts = [item["content"][0]["text"] for item in seen[-1] if item.get("role") == "assistant"]
    assert texts == [script.text for script in scripts]
    calls = [item["arguments"] for item in seen[-1] if item.get("type") == "function_call"]
    assert calls == [*map(arguments_of, scripts)]


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic(outwarden: Interceptor, provider: SimulatedProvider, scripts: list[Script], stream: bool) -> None:
    """Thinking with its signature stays to the byte in both directions, placeholders in it included; tool input is
    the same JSON."""
    client = outwarden.anthropic()
    messages: list[Any] = [{"role": "user", "content": SAID}]
    body = message("", tools=[{"name": "send", "input_schema": SCHEMA}], messages=messages, max_tokens=2000)
    for script in scripts:
        provider.queue(script)
        if stream:
            with client.messages.stream(**body) as opened:
                answer: Any = opened.get_final_message()
        else:
            answer = client.messages.create(**body)
        blocks = [block.model_dump(exclude_none=True, exclude={"caller", "citations"}) for block in answer.content]
        assert blocks[0]["thinking"] == script.thinking
        assert SSN in blocks[1]["text"]
        assert blocks[2]["input"]["to"] == EMAIL
        result = {"type": "tool_result", "tool_use_id": blocks[2]["id"], "content": f"{SSN}: sent"}
        messages += [{"role": "assistant", "content": blocks}, {"role": "user", "content": [result]}]
    client.messages.create(**body)

    seen = [request.json()["messages"] for request in provider.requests]
    for before, after in pairwise(seen):
        assert after[: len(before)] == before
    answers = [one["content"] for one in seen[-1] if one["role"] == "assistant"]
    assert [one[0]["thinking"] for one in answers] == [script.thinking for script in scripts]
    assert all(one[0]["signature"] for one in answers)
    assert [one[1]["text"] for one in answers] == [script.text for script in scripts]
    assert [one[2]["input"] for one in answers] == [json.loads(arguments_of(script)) for script in scripts]
