"""A schema is narrowed to what its provider follows; what it would refuse is refused before it is sent."""

from typing import Any

import pytest

from outwarden.errors import NotTranslatable
from outwarden.wire.translation.neutral import Conversation, Tool
from outwarden.wire.translation.strict import DEPTH_MAX, fit_schemas

OPEN: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}
CLOSED = OPEN | {"additionalProperties": False}
FULL = CLOSED | {"required": ["a", "b"]}


def inside(schema: Any) -> list[Any]:
    """The schema at every place where one may stand in another."""
    return [
        schema,
        {"type": "array", "items": schema},
        {"anyOf": [{"type": "null"}, schema]},
        {"$defs": {"properties": schema}, "$ref": "#/$defs/properties"},
        FULL | {"properties": {"a": {"type": "array", "prefixItems": [schema]}, "b": {}}},
    ]


def fitted(schema: Any, provider: str) -> Any:
    """The schema of an answer, and of a tool's arguments, which are treated alike."""
    tool = fit_schemas(Conversation("m", (), tools=(Tool("f", "", schema, strict=True),)), provider).tools[0].schema
    answer = fit_schemas(Conversation("m", (), output_schema=schema), provider).output_schema
    assert answer == tool
    return answer


@pytest.mark.parametrize(
    ("provider", "expected"),
    [("openai", FULL), ("azure", FULL), ("anthropic", CLOSED), ("google", OPEN), ("vllm", OPEN), ("", OPEN)],
)
def test_objects_are_narrowed_at_any_depth(provider: str, expected: Any) -> None:
    """An answer that fits what is sent fits what was asked for; providers that take any schema get that."""
    for schema, narrowed in zip(inside(OPEN), inside(expected), strict=True):
        assert fitted(schema, provider) == narrowed


@pytest.mark.parametrize("schema", [*inside(FULL), {"type": "string"}, {}])
def test_what_all_follow_stays(schema: Any) -> None:
    """Nothing is added to it."""
    for provider in ("openai", "azure", "anthropic", "vllm"):
        assert fitted(schema, provider) == schema


@pytest.mark.parametrize(
    "schema",
    [
        OPEN | {"additionalProperties": True},
        {"type": "object", "additionalProperties": {"type": "integer"}},
        {"type": ["object", "null"]},
        {"oneOf": [OPEN, {"type": "null"}]},
    ],
)
def test_what_cannot_be_narrowed_is_refused(schema: Any) -> None:
    """Objects that are meant to be open would be another answer, closed."""
    for provider in ("openai", "azure", "anthropic"):
        with pytest.raises(NotTranslatable, match=f"any properties has no counterpart at {provider}"):
            fitted(schema, provider)
    assert fitted(schema, "vllm") == schema


def test_properties_that_may_be_absent_in_one_branch_of_several() -> None:
    """They cannot be required there; Anthropic does not ask for it."""
    with pytest.raises(NotTranslatable, match="may be absent"):
        fitted({"oneOf": [CLOSED]}, "openai")
    assert fitted({"oneOf": [CLOSED]}, "anthropic") == {"oneOf": [CLOSED]}


def test_a_tool_without_arguments_gets_none() -> None:
    """An answer of that schema may be any object, and nobody follows that."""
    empty: dict[str, Any] = {"type": "object", "properties": {}}
    tool = fit_schemas(Conversation("m", (), tools=(Tool("f", "", empty, strict=True),)), "openai").tools[0]

    assert tool.schema == empty | {"additionalProperties": False, "required": []}
    with pytest.raises(NotTranslatable, match="any properties"):
        fit_schemas(Conversation("m", (), output_schema=empty), "openai")


def test_tools_that_are_not_strict_may_have_any_schema() -> None:
    """Nobody is held to it."""
    conversation = Conversation("m", (), tools=(Tool("f", "", OPEN),))

    assert fit_schemas(conversation, "openai") == conversation


@pytest.mark.parametrize("place", ["items", "oneOf"])
def test_depth_is_bounded(place: str) -> None:
    """No stack runs over."""
    schema: dict[str, Any] = {}
    for _ in range(10_000):
        schema = {place: [schema] if place == "oneOf" else schema}

    with pytest.raises(NotTranslatable, match=f"more than {DEPTH_MAX} levels"):
        fitted(schema, "openai")
