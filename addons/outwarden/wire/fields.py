"""In which field of a request a text stands: the system prompt, a tool's result, a file's name …

All APIs say it with the same few words (keys, roles and types of blocks), so one table reads them all. What is inside a
tool's arguments or result, a tool's definition or metadata belongs to that field whatever it is called there. A text
that stands in two fields of one message counts in both.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from outwarden.wire.json_document import Document, File, Nested
from outwarden.wire.json_text import scannable
from outwarden.wire.json_tree import Float, Integer, Repeated, parse_all
from outwarden.wire.json_walk import read_text
from outwarden.wire.splice import leaves

FIELDS: Mapping[str, str] = {
    "system": "the system prompt: system and developer messages, instructions",
    "message": "what users and models say, and all that is no other field",
    "tool_definition": "names, descriptions and schemas of tools",
    "tool_arguments": "what a tool is called with",
    "tool_result": "what a tool answered",
    "file": "the text of an uploaded or embedded file",
    "file_name": "names of files",
    "metadata": "metadata, labels, ids of users",
    "header": "headers that callers fill",
    "url": "path and query",
}
"""The fields, and what is in each."""

Places = Mapping[str, frozenset[str]]
"""text -> the fields that it stands in; a text that is not there is a ``message``."""

MESSAGE = frozenset({"message"})

_ROLES = {"system": "system", "developer": "system", "tool": "tool_result", "function": "tool_result"}
_KEYS = {
    **dict.fromkeys(("system", "instructions", "systemInstruction", "system_instruction", "preamble"), "system"),
    **dict.fromkeys(("tools", "functions", "toolConfig", "tool_config", "toolSpec"), "tool_definition"),
    **dict.fromkeys(("arguments", "args"), "tool_arguments"),
    **dict.fromkeys(("toolResult", "functionResponse", "function_response", "tool_results"), "tool_result"),
    **dict.fromkeys(("filename", "file_name", "displayName", "display_name"), "file_name"),
    **dict.fromkeys(("metadata", "requestMetadata", "labels", "safety_identifier", "user_id"), "metadata"),
}
# Keys that mean a field only beside such a type (or in such a block) of tool calls: `input` is a prompt elsewhere.
_CALL_TYPES = frozenset(
    {"tool_use", "server_tool_use", "mcp_tool_use", "function_call", "custom_tool_call", "mcp_call"}
)
_CALL_BLOCKS = frozenset({"toolUse", "tool_calls", "functionCall", "function_call"})
_CALL_KEYS = {"input": "tool_arguments", "parameters": "tool_arguments", "output": "tool_result"}
_ENTERED = frozenset({"system", "tool_definition", "tool_arguments", "tool_result", "metadata", "file"})


def fields_of(document: Document, key: str | None) -> Places:
    """Say of every text of ``document`` in which fields it stands; ``key``: what the document is the value of."""
    inner = ((at, read_text(document.tokens[at] or "")) for at in document.joined)  # each by itself
    nested = {**document.nested, **{at: one for at, one in inner if one is not None}}
    places = _Places({text: nested[at] for at, text in enumerate(document.tokens) if text and at in nested})
    tree = parse_all(document.raw) if document.has_numbers else orjson.loads(document.raw)
    places.value(tree, key, "message")
    return {text: frozenset(fields) for text, fields in places.found.items()}


class _Places:
    """One walk over one tree; depth was bounded when the document was read."""

    def __init__(self, nested: Mapping[str, Nested]) -> None:
        self._nested = nested
        self.found: dict[str, set[str]] = {}

    def value(self, node: Any, key: str | None, field: str, *, in_call: bool = False) -> None:
        if field not in _ENTERED and key is not None:
            field = _field_of_key(key, node, in_call) or field
        if isinstance(node, str):
            self._text(node, field)
        elif isinstance(node, Repeated):
            for name, value in node.pairs:
                self._text(name, field)
                self.value(value, name, field)
        elif isinstance(node, dict):
            self._object(node, key, field)
        elif isinstance(node, list):
            for item in node:
                self.value(item, key, field, in_call=in_call)
        elif isinstance(node, Integer | Float):
            self._text(node.spelled, field)

    def _object(self, node: dict[str, Any], key: str | None, field: str) -> None:
        kind, role = node.get("type"), node.get("role")
        if field not in _ENTERED:
            field = _field_of_kind(kind, role) or field
        in_call = key in _CALL_BLOCKS or (isinstance(kind, str) and kind in _CALL_TYPES)
        for name, value in node.items():
            self._text(name, field)
            self.value(value, name, field, in_call=in_call)

    def _text(self, text: str, field: str) -> None:
        text = scannable(text)
        nested = self._nested.get(text)
        for leaf in (text,) if nested is None else leaves(nested):
            self.found.setdefault(leaf, set()).add("file" if isinstance(nested, File) else field)


def _field_of_key(key: str, node: Any, in_call: bool) -> str | None:
    if in_call and key in _CALL_KEYS:
        return _CALL_KEYS[key]
    if key == "user" and isinstance(node, str):  # OpenAI's id of the end user
        return "metadata"
    return _KEYS.get(key)


def _field_of_kind(kind: Any, role: Any) -> str | None:
    if isinstance(role, str) and role in _ROLES:
        return _ROLES[role]
    if isinstance(kind, str) and kind.endswith(("tool_result", "call_output")):
        return "tool_result"
    return None
