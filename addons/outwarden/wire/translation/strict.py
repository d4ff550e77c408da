"""Which schemas a provider follows to the letter. It refuses all others, and a refusal there comes too late: the call
could have gone to another upstream.

Source: the guides on structured outputs of OpenAI (also Azure) and Anthropic, 2026-11. Other providers that speak their
formats, vLLM among them, take any schema.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from outwarden.wire.formats.values import items, mapping
from outwarden.wire.translation.neutral import Conversation, need

DEPTH_MAX = 64
_CLOSED = frozenset({"openai", "azure", "anthropic"})
_ALL_REQUIRED = frozenset({"openai", "azure"})
_NAMED = ("properties", "$defs", "definitions")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")


def check_schemas(conversation: Conversation, provider: str) -> None:
    """Raise NotTranslatable where ``provider`` (id of the price catalogue) would refuse a schema."""
    asked = [tool.schema for tool in conversation.tools if tool.strict]
    for schema in [*asked, conversation.output_schema or {}]:
        for inner in _objects(schema, 0) if provider in _CLOSED else ():
            closed = inner.get("additionalProperties") is False
            need(closed, f"a schema whose objects may have other properties has no counterpart at {provider}")
            complete = mapping(inner.get("properties")).keys() <= set(filter(_is_name, items(inner.get("required"))))
            needed = provider in _ALL_REQUIRED
            need(
                complete or not needed, f"a schema with properties that may be absent has no counterpart at {provider}"
            )


def _is_name(value: object) -> bool:
    return isinstance(value, str)


def _objects(source: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    """All schemas of objects in a schema."""
    need(depth < DEPTH_MAX, f"a schema of more than {DEPTH_MAX} levels has no counterpart")
    if "properties" in source or "object" in (source.get("type"), *items(source.get("type"))):
        yield source
    inner = [source.get("items"), *(each for name in _LISTED for each in items(source.get(name)))]
    inner += [each for name in _NAMED for each in mapping(source.get(name)).values()]
    for each in inner:
        if isinstance(each, dict):
            yield from _objects(each, depth + 1)
