"""A schema that a provider would refuse is refused before it is sent, so that another upstream may take the call."""

from typing import Any

import pytest

from outwarden.errors import NotTranslatable
from outwarden.wire.translation.neutral import Conversation, Tool
from outwarden.wire.translation.strict import DEPTH_MAX, check_schemas

OPEN: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
CLOSED = OPEN | {"additionalProperties": False}
OPTIONAL = CLOSED | {"required": []}


def inside(schema: Any) -> list[Any]:
    """The schema at every place where one may stand in another."""
    return [
        schema,
        {"type": "array", "items": schema},
        {"anyOf": [{"type": "null"}, schema]},
        {"$defs": {"properties": schema}, "$ref": "#/$defs/properties"},
        CLOSED | {"properties": {"a": {"type": "array", "prefixItems": [schema]}}},
    ]


def checks(schema: Any, provider: str) -> None:
    """Ask for the schema of an answer, and of a tool's arguments."""
    check_schemas(Conversation("m", (), tools=(Tool("f", "", schema, strict=True),)), provider)
    check_schemas(Conversation("m", (), output_schema=schema), provider)


@pytest.mark.parametrize("provider", ["openai", "azure", "anthropic", "google", "vllm", ""])
@pytest.mark.parametrize("schema", [*inside(CLOSED), {"type": "string"}, {}])
def test_what_all_providers_follow_passes(schema: Any, provider: str) -> None:
    """Closed objects without optional properties."""
    checks(schema, provider)


@pytest.mark.parametrize("schema", [*inside(OPEN), {"type": ["object", "null"]}])
def test_open_objects(schema: Any) -> None:
    """OpenAI and Anthropic refuse them, at any depth; the others take them."""
    for provider in ("openai", "azure", "anthropic"):
        with pytest.raises(NotTranslatable, match=f"may have other properties has no counterpart at {provider}"):
            checks(schema, provider)
    checks(schema, "vllm")


@pytest.mark.parametrize("schema", inside(OPTIONAL))
def test_optional_properties(schema: Any) -> None:
    """OpenAI refuses them; Anthropic does not."""
    for provider in ("openai", "azure"):
        with pytest.raises(NotTranslatable, match="may be absent"):
            checks(schema, provider)
    checks(schema, "anthropic")


def test_tools_that_are_not_strict_may_have_any_schema() -> None:
    """Nobody is held to it."""
    check_schemas(Conversation("m", (), tools=(Tool("f", "", OPEN),)), "openai")


def test_depth_is_bounded() -> None:
    """No stack runs over."""
    schema: dict[str, Any] = {}
    for _ in range(10_000):
        schema = {"items": schema}

    with pytest.raises(NotTranslatable, match=f"more than {DEPTH_MAX} levels"):
        checks(schema, "openai")
