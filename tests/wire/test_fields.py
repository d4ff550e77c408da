"""In which field of a request a text stands, whoever's API it is."""

import json
from typing import Any

import pytest

from outwarden.wire.fields import FIELDS, fields_of
from outwarden.wire.format import TextRules
from outwarden.wire.json_walk import read_document

OPENAI = {
    "model": "m",
    "user": "U",
    "metadata": {"k": "META", "system": "META"},
    "messages": [
        {"role": "system", "content": "SYS"},
        {"role": "developer", "content": [{"type": "text", "text": "SYS"}]},
        {"role": "user", "content": [{"type": "file", "file": {"filename": "NAME", "file_data": "MSG"}}]},
        {"role": "assistant", "tool_calls": [{"function": {"name": "MSG", "arguments": '{"system": "ARG"}'}}]},
        {"role": "tool", "content": "RES"},
    ],
    "tools": [{"type": "function", "function": {"name": "DEF", "parameters": {"arguments": "DEF"}}}],
}
RESPONSES = {
    "instructions": "SYS",
    "safety_identifier": "META",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "MSG"}]},
        {"type": "function_call", "name": "MSG", "arguments": '["ARG"]'},
        {"type": "function_call_output", "output": '{"filename": "RES"}'},
        {"type": "custom_tool_call", "input": "ARG"},
        {"type": "local_shell_call_output", "output": "RES"},
        {"type": "mcp_call", "arguments": "ARG", "output": "RES"},
    ],
}
ANTHROPIC = {
    "system": [{"type": "text", "text": "SYS"}],
    "metadata": {"user_id": "META"},
    "messages": [
        {"role": "user", "content": "MSG"},
        {"role": "assistant", "content": [{"type": "tool_use", "name": "MSG", "input": {"input": ["ARG"]}}]},
        {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "RES"}]}]},
    ],
    "tools": [{"name": "DEF", "input_schema": {"description": "DEF"}}],
}
GEMINI = {
    "systemInstruction": {"parts": [{"text": "SYS"}]},
    "labels": {"k": "META"},
    "contents": [
        {"role": "user", "parts": [{"text": "MSG"}, {"fileData": {"displayName": "NAME"}}]},
        {"role": "model", "parts": [{"functionCall": {"name": "MSG", "args": {"q": "ARG"}}}]},
        {"role": "user", "parts": [{"functionResponse": {"response": {"a": "RES"}}}]},
    ],
    "tools": [{"functionDeclarations": [{"description": "DEF"}]}],
}
BEDROCK = {
    "system": [{"text": "SYS"}],
    "requestMetadata": {"k": "META"},
    "messages": [
        {"role": "user", "content": [{"text": "MSG"}]},
        {"role": "assistant", "content": [{"toolUse": {"name": "MSG", "input": {"q": "ARG"}}}]},
        {"role": "user", "content": [{"toolResult": {"content": [{"text": "RES"}]}}]},
    ],
    "toolConfig": {"tools": [{"toolSpec": {"description": "DEF"}}]},
}
COHERE = {
    "preamble": "SYS",
    "message": "MSG",
    "tool_results": [{"call": {"parameters": {"q": "RES"}}, "outputs": [{"a": "RES"}]}],
    "chat_history": [{"role": "CHATBOT", "tool_calls": [{"name": "MSG", "parameters": {"q": "ARG"}}]}],
}
OLLAMA = {
    "system": "SYS",
    "prompt": "MSG",
    "messages": [{"role": "assistant", "tool_calls": [{"function": {"arguments": {"q": "ARG"}}}]}],
}
MEANT = {
    "SYS": "system",
    "MSG": "message",
    "DEF": "tool_definition",
    "ARG": "tool_arguments",
    "RES": "tool_result",
    "NAME": "file_name",
    "META": "metadata",
    "U": "metadata",
}


@pytest.mark.parametrize("body", [OPENAI, RESPONSES, ANTHROPIC, GEMINI, BEDROCK, COHERE, OLLAMA])
def test_every_text_is_in_its_field(body: dict[str, Any]) -> None:
    """By keys, roles and types; what is inside a tool's part stays in it whatever it is called there."""
    places = fields_of(read_document(json.dumps(body).encode(), TextRules()), None)

    assert {text: places[text] for text in MEANT if text in places} == {
        text: {field} for text, field in MEANT.items() if text in places
    }
    assert {"SYS", "MSG", "ARG"} <= places.keys()


def test_a_piece_of_a_list_knows_what_list_it_is_of() -> None:
    """Messages and tools are read one by one."""
    tool = read_document(b'{"description": "D"}', TextRules(), inside="tools")
    message = read_document(b'{"role": "tool", "content": "D"}', TextRules(), inside="messages")

    assert fields_of(tool, "tools")["D"] == {"tool_definition"}
    assert fields_of(message, "messages")["D"] == {"tool_result"}


def test_a_text_in_two_fields_is_in_both() -> None:
    """Nested documents, repeated keys and long numbers included."""
    raw = b'{"system": "A", "x": "A", "y": "[\\"B\\"]", "z": {"a": "C", "a": 123456789012345678901}}'
    places = fields_of(read_document(raw, TextRules()), None)

    assert places["A"] == {"system", "message"}
    assert places["B"] == places["C"] == places["123456789012345678901"] == {"message"}


def test_only_known_fields_are_named() -> None:
    """The table is what rules may say."""
    assert set(MEANT.values()) <= FIELDS.keys()


def test_many_documents_in_strings_are_each_in_their_field() -> None:
    """They are read as one, and each stands where it stands: those of tools among those of users."""
    inner = json.dumps([json.dumps({"deep": [n]} | {f"k{n}": "DEEP"}) for n in range(40)])
    messages = [
        {"role": role, "content": text}
        for n in range(40)
        for role, text in (
            ("tool", json.dumps({"a": f"tool {n}", "b": [1, n]})),
            ("user", json.dumps([f"user {n}", json.dumps({"c": f"inner {n}"})])),
            ("system", json.dumps({f"key {n}": {}})),
        )
    ]
    messages.append({"role": "tool", "content": inner})
    body = json.dumps({"messages": messages}).encode()
    found = fields_of(read_document(body, TextRules()), None)
    alone: dict[str, set[str]] = {}
    for message in messages:  # few enough that none is joined to another
        one = read_document(json.dumps([message]).encode(), TextRules())
        for text, fields in fields_of(one, "messages").items():
            alone.setdefault(text, set()).update(fields)

    assert found["tool 7"] == {"tool_result"}
    assert found["user 7"] == found["inner 7"] == {"message"}
    assert found["key 7"] == {"system"}
    assert found["DEEP"] == {"tool_result"}
    assert {text: found[text] for text in alone} == alone
