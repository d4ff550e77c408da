"""Google's schemas say the same as JSON Schema, or are refused."""

from typing import Any

import pytest

from outwarden.errors import NotTranslatable
from outwarden.wire.translation.gemini_schema import DEPTH_MAX, json_schema


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "STRING"}, {"type": "string"}),
        ({"type": "string", "description": "Who."}, {"type": "string", "description": "Who."}),
        ({"type": 3}, {"type": "integer"}),
        ({}, {}),
        ({"type": "STRING", "nullable": True}, {"type": ["string", "null"]}),
        (
            {"anyOf": [{"type": "STRING"}], "nullable": True},
            {"anyOf": [{"anyOf": [{"type": "string"}]}, {"type": "null"}]},
        ),
        ({"type": "STRING", "format": "enum", "enum": ["a", "b"]}, {"type": "string", "enum": ["a", "b"]}),
        ({"type": "INTEGER", "format": "enum", "enum": ["101"]}, {"type": "integer", "enum": [101]}),
        ({"type": "NUMBER", "enum": ["1.5", "2"]}, {"type": "number", "enum": [1.5, 2]}),
        ({"type": "STRING", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        (
            {"type": "STRING", "format": "date-time", "example": "x"},
            {"type": "string", "format": "date-time", "examples": ["x"]},
        ),
        (
            {"type": "ARRAY", "items": {"type": "STRING"}, "min_items": "1"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ),
        ({"any_of": [{"type": "STRING"}, {"type": "NULL"}]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (
            {"type": "OBJECT", "additionalProperties": {"type": "STRING"}},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ),
        (
            {"type": "OBJECT", "properties": {"pet": {"ref": "#/defs/Pet"}}, "defs": {"Pet": {"type": "STRING"}}},
            {"type": "object", "properties": {"pet": {"$ref": "#/$defs/Pet"}}, "$defs": {"Pet": {"type": "string"}}},
        ),
    ],
)
def test_a_schema_as_json_schema(schema: Any, expected: Any) -> None:
    """Types, null, enums, lists, objects, references."""
    assert json_schema(schema, closed=False) == expected


def test_properties_keep_their_names_and_come_in_the_order_that_is_asked_for() -> None:
    """A property may be called as a word of the schema's own; its name is the caller's, in their spelling."""
    properties = {"first_name": {"type": "STRING"}, "type": {"type": "STRING"}, "any_of": {"type": "STRING"}}
    written = json_schema(
        {"type": "OBJECT", "properties": properties, "propertyOrdering": ["any_of", "type"]}, closed=False
    )

    assert list(written["properties"]) == ["any_of", "type", "first_name"]


def test_closed_objects_have_no_other_properties() -> None:
    """At every depth; who says otherwise is heard."""
    inner = {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}
    written = json_schema(
        {"type": "OBJECT", "properties": {"in": inner, "open": inner | {"additionalProperties": True}}}, closed=True
    )

    assert written["additionalProperties"] is False
    assert written["properties"]["in"]["additionalProperties"] is False
    assert written["properties"]["open"]["additionalProperties"] is True


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "MAP"}, "'type'"),
        ({"type": 9}, "'type'"),
        ({"oneOf": [{}]}, "'oneOf'"),
        ({"type": "INTEGER", "enum": ["many"]}, "no whole number"),
        ({"type": "NUMBER", "enum": ["many"]}, "no number"),
        ({"Ann Example": 1}, "an unknown field"),
        ("STRING", "is no object"),
    ],
)
def test_what_is_no_schema_of_googles_is_refused(schema: Any, reason: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(NotTranslatable, match=reason):
        json_schema(schema, closed=False)


def test_depth_is_bounded() -> None:
    """A schema of ten thousand levels is refused, and no stack runs over."""
    schema: dict[str, Any] = {"type": "STRING"}
    for _ in range(10_000):
        schema = {"type": "ARRAY", "items": schema}

    with pytest.raises(NotTranslatable, match=f"more than {DEPTH_MAX} levels"):
        json_schema(schema, closed=False)
