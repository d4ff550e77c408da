"""A model that uses a tool it is offered and quotes what the tool gave, in each API, whole and streamed."""

import json
import ssl
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from chatting import create, events, said, talk

from outwarden.simulate import SimulatedProvider, ToolCall, use_tool
from outwarden.simulate.tools import Offer, last_result, offer_of, offers

READ = ToolCall("Read", '{"path": "a.txt"}')
EXEC = ToolCall("exec", 'text(await tools.read("a.txt"));')
FUNCTION: dict[str, Any] = {"type": "function", "name": "Read", "parameters": {"type": "object"}, "strict": False}
CUSTOM: dict[str, Any] = {"type": "custom", "name": "exec"}


@pytest.fixture
def reader(provider: SimulatedProvider) -> Any:
    """The provider with a model that reads a file."""
    before, provider.script = provider.script, use_tool(EXEC, READ)
    yield provider
    provider.script = before


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"tools": [FUNCTION, CUSTOM]}, [Offer("Read"), Offer("exec", free=True)]),
        ({"tools": [{"type": "function", "function": {"name": "Read"}}]}, [Offer("Read")]),
        ({"tools": [{"name": "Bash", "input_schema": {}}]}, [Offer("Bash")]),
        ({"tools": [{"type": "namespace", "name": "f", "tools": [CUSTOM]}]}, [Offer("exec", True, "f")]),
        ({"input": [{"type": "additional_tools", "tools": [FUNCTION]}, {"role": "user"}]}, [Offer("Read")]),
        ({"tools": [{"functionDeclarations": [{"name": "Read"}]}, {"googleSearch": {}}]}, [Offer("Read")]),
        ({"input": "hello", "tools": None}, []),
        ([], []),
    ],
)
def test_offers_are_found_wherever_they_stand(body: Any, expected: list[Offer]) -> None:
    """Plain, nested, in a namespace, or among the input as Codex sends them."""

    assert list(offers(body)) == expected


def test_a_tool_that_is_not_offered_is_a_plain_function() -> None:
    """A script may call what nobody offered."""

    assert offer_of({}, "ghost") == Offer("ghost")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"input": [{"type": "function_call_output", "call_id": "c", "output": "blue"}]}, "blue"),
        ({"input": [{"type": "custom_tool_call_output", "output": [{"type": "input_text", "text": "blue"}]}]}, "blue"),
        ({"messages": [{"role": "tool", "content": "blue"}]}, "blue"),
        ({"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "blue"}]}]}, "blue"),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": "b"}]}, {"role": "system"}]},
            "b",
        ),
        ({"input": [{"type": "function_call_output", "output": "blue"}, {"role": "user", "content": "and?"}]}, None),
        ({"messages": [{"role": "user", "content": "hello"}]}, None),
        ({"contents": [{"role": "user", "parts": [{"functionResponse": {"response": {"output": "b"}}}]}]}, "b"),
        ({"contents": [{"role": "user", "parts": [{"text": "and?"}]}]}, None),
        ({"input": "hello"}, None),
        (None, None),
    ],
)
def test_a_result_counts_while_it_is_the_last_word(body: Any, expected: str | None) -> None:
    """What a system message adds behind it changes nothing; what the user says does."""

    assert last_result(body) == expected


@pytest.mark.parametrize("stream", [False, True])
def test_responses_call_a_custom_tool(
    reader: SimulatedProvider, base: str, trust: ssl.SSLContext, stream: bool
) -> None:
    """A tool of free text is called with text, and its result is quoted in the next turn."""
    client = openai.OpenAI(api_key="simulated-key", base_url=f"{base}/v1", http_client=httpx2.Client(verify=trust))
    asked: Any = [{"role": "user", "content": "what is in a.txt?"}]
    tools: Any = [{"type": "namespace", "name": "functions", "description": "", "tools": [CUSTOM]}]
    if stream:
        with client.responses.stream(model="gpt-5", input=asked, tools=tools) as streamed:
            deltas = [e.delta for e in streamed if e.type == "response.custom_tool_call_input.delta"]
            answer: Any = streamed.get_final_response()
        assert "".join(deltas) == EXEC.arguments
    else:
        answer = client.responses.create(model="gpt-5", input=asked, tools=tools)
    call = answer.output[0]
    result = {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "blue"}
    after = client.responses.create(model="gpt-5", input=[*asked, call.model_dump(), result], tools=tools)

    assert (call.type, call.name, call.input) == ("custom_tool_call", "exec", EXEC.arguments)
    assert after.output_text == "It says: blue"


@pytest.mark.parametrize("stream", [False, True])
def test_messages_call_a_tool(reader: SimulatedProvider, base: str, trust: ssl.SSLContext, stream: bool) -> None:
    """Anthropic's way: a tool_use block, then the result in a user message."""
    client = anthropic.Anthropic(api_key="simulated-key", base_url=base, http_client=httpx2.Client(verify=trust))
    asked: Any = [{"role": "user", "content": "what is in a.txt?"}]
    tools: Any = [{"name": "Read", "input_schema": {"type": "object"}}]
    more: Any = {"model": "claude-opus-5", "max_tokens": 500, "tools": tools}
    if stream:
        with client.messages.stream(messages=asked, **more) as streamed:
            answer = streamed.get_final_message()
    else:
        answer = client.messages.create(messages=asked, **more)
    call: Any = answer.content[0]
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "blue"}]}
    after: Any = client.messages.create(messages=[*asked, {"role": "assistant", "content": [call]}, result], **more)

    assert (answer.stop_reason, call.name, call.input) == ("tool_use", "Read", json.loads(READ.arguments))
    assert (after.stop_reason, after.content[0].text) == ("end_turn", "It says: blue")


def test_a_websocket_knows_the_tools_of_earlier_turns(reader: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """What was offered while warming up is called later, though the later message does not repeat it."""
    tools = [{"type": "additional_tools", "role": "developer", "tools": [FUNCTION]}]
    with talk(reader, trust) as client:
        client.send(create("", input=tools, generate=False))
        warm = events(client)[-1]["response"]["id"]
        client.send(create("what is in a.txt?", previous_response_id=warm))
        call = events(client)[-1]["response"]
        result = {"type": "function_call_output", "call_id": call["output"][0]["call_id"], "output": "blue"}
        client.send(create("", input=[result], previous_response_id=call["id"]))

        assert said(events(client)) == "It says: blue"
    assert call["output"][0]["name"] == "Read"


def test_without_such_a_tool_it_just_answers(reader: SimulatedProvider, trust: ssl.SSLContext) -> None:
    """Title and summary calls of a client offer no tool; they get a plain answer."""
    with talk(reader, trust) as client:
        client.send(create("a title, please"))

        assert said(events(client)) == "Done."
