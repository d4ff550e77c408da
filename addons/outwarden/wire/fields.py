"""In which field of a request a text stands: the system prompt, a tool's result, a file's name …

All APIs say it with the same few words (keys, roles and types of blocks), so one table reads them all. What is inside a
tool's arguments or result, a tool's definition or metadata belongs to that field whatever it is called there. A text
that stands in two fields of one message counts in both.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import orjson

from outwarden.wire.json_document import Document, File, Joined
from outwarden.wire.json_text import scannable
from outwarden.wire.json_tree import Float, Integer, Repeated, parse_all
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
    files = {at for at, nested in document.nested.items() if isinstance(nested, File)}
    said = {document.tokens[at] or "": (at in files, texts) for at, texts in _said(document).items()}
    places = _Places(said)
    tree = parse_all(document.raw) if document.has_numbers else orjson.loads(document.raw)
    places.value(tree, key, "message")
    return {text: frozenset(fields) for text, fields in places.found.items()}


class _Places:
    """One walk over one tree; depth was bounded when the document was read."""

    def __init__(self, said: Mapping[str, tuple[bool, Sequence[str]]]) -> None:
        self._said = said  # string -> whether it is a file, and the texts of the document that it is
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
        is_file, texts = self._said.get(text) or (False, (text,))
        for leaf in texts:
            self.found.setdefault(leaf, set()).add("file" if is_file else field)


def _said(document: Document) -> dict[int, Sequence[str]]:
    """The texts of the documents that stand in strings, by the token that holds them."""
    found: dict[int, Sequence[str]] = {}
    for at, nested in document.nested.items():
        if isinstance(nested, Joined):
            apart = list(_apart(nested))
            places = zip(nested.places.tolist(), nested.numbers.tolist(), strict=True)
            found.update((at, apart[number]) for at, number in places)
        else:
            found[at] = list(leaves(nested))
    return found


def _apart(joined: Joined) -> Iterator[Sequence[str]]:
    """The texts of each of the documents that were read as one."""
    document = joined.document
    inner = _said(document)
    opening = [start for start, _ in document.spans()]
    bounds = [bisect_left(opening, start) for start in joined.starts.tolist()]
    for first, last in pairwise(bounds):
        if not inner:
            yield list(filter(None, document.tokens[first:last]))
            continue
        texts = ([text] if text else [] for text in document.tokens[first:last])
        yield [leaf for at, text in enumerate(texts, first) for leaf in inner.get(at, text)]


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
