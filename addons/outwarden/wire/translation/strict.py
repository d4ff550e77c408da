"""Schemas for providers that follow them to the letter and take no others.

OpenAI (also Azure) wants objects closed, with no property that may be absent; Anthropic wants them closed. What a
schema leaves open is narrowed for them, as OpenAI's own SDK does with Python's types: an answer that fits the narrower
schema fits the caller's. What cannot be narrowed is refused here: a refusal there would come too late for another
upstream.

Source: the guides on structured outputs of OpenAI and Anthropic, 2026-11. Other providers that speak their formats,
vLLM among them, take any schema.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from outwarden.wire.formats.values import items, mapping
from outwarden.wire.translation.neutral import Conversation, Tool, need

DEPTH_MAX = 64
_CLOSED = frozenset({"openai", "azure", "anthropic"})
_ALL_REQUIRED = frozenset({"openai", "azure"})
_NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}}
_CLOSED_ARGUMENTS = {**_NO_ARGUMENTS, "additionalProperties": False, "required": []}
_NAMED = ("properties", "$defs", "definitions")
_LISTED = ("anyOf", "allOf", "prefixItems")  # not oneOf: what fits one narrowed branch may fit two that are not


def fit_schemas(conversation: Conversation, provider: str) -> Conversation:
    """The conversation with schemas that ``provider`` (id of the price catalogue) follows. Raises NotTranslatable."""
    if provider not in _CLOSED:
        return conversation
    tools = tuple(_fit_tool(tool, provider) for tool in conversation.tools)
    asked = conversation.output_schema
    return replace(conversation, tools=tools, output_schema=None if asked is None else _fit(asked, provider))


def _fit_tool(tool: Tool, provider: str) -> Tool:
    if not tool.strict:
        return tool
    none = tool.schema == _NO_ARGUMENTS  # of an answer, that would mean any object
    return replace(tool, schema=_fit(_CLOSED_ARGUMENTS if none else tool.schema, provider))


def _fit(schema: Mapping[str, Any], provider: str) -> Mapping[str, Any]:
    fitted: Mapping[str, Any] = _narrowed(schema, provider in _ALL_REQUIRED, 0)
    for inner in _objects(fitted, 0):
        closed = inner.get("additionalProperties") is False
        need(closed, f"a schema whose objects may have any properties has no counterpart at {provider}")
        required = items(inner.get("required"))
        complete = all(name in required for name in mapping(inner.get("properties")))
        need(
            complete or provider not in _ALL_REQUIRED,
            f"a schema with properties that may be absent has no counterpart at {provider}",
        )
    return fitted


def _narrowed(schema: Any, all_required: bool, depth: int) -> Any:
    """A schema whose objects have the properties that they name, and no others."""
    need(depth < DEPTH_MAX, f"a schema of more than {DEPTH_MAX} levels has no counterpart")
    if not isinstance(schema, dict):
        return schema

    def inner(value: Any) -> Any:
        return _narrowed(value, all_required, depth + 1)

    written = dict(schema)
    for name, value in schema.items():
        if name in _NAMED and isinstance(value, dict):
            written[name] = {key: inner(each) for key, each in value.items()}
        elif name in _LISTED and isinstance(value, list):
            written[name] = [inner(each) for each in value]
        elif name == "items":
            written[name] = inner(value)
    if properties := mapping(schema.get("properties")):
        written.setdefault("additionalProperties", False)
        if all_required:
            written["required"] = list(properties)
    return written


def _objects(source: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """All schemas of objects in a schema that is not too deep."""
    if "properties" in source or "object" in (source.get("type"), *items(source.get("type"))):
        yield source
    inner = [source.get("items"), *(each for name in (*_LISTED, "oneOf") for each in items(source.get(name)))]
    inner += [each for name in _NAMED for each in mapping(source.get(name)).values()]
    for each in inner:
        need(depth < DEPTH_MAX, f"a schema of more than {DEPTH_MAX} levels has no counterpart")
        if isinstance(each, dict):
            yield from _objects(each, depth + 1)
