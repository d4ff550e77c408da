"""Google's ``Schema``, a part of OpenAPI 3.0's with words of its own, as JSON Schema.

Source: ``types.Schema`` of the google-genai SDK 3.4. What Google's ``…JsonSchema`` fields hold needs none of this.
"""

from collections.abc import Callable
from typing import Any

from outwarden.errors import NotTranslatable
from outwarden.wire.formats.values import amount
from outwarden.wire.translation.gemini_fields import enum, integer, listed, named
from outwarden.wire.translation.neutral import array, flag, need, obj, string

DEPTH_MAX = 32  # deeper than any that the models are said to follow
_TYPES = ("TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL")
_SAME = ("title", "description", "default", "pattern", "minimum", "maximum", "required")
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_KNOWN = frozenset(
    {
        *("type", "nullable", "format", "enum", "example", "items", "prefixItems", "anyOf", "properties"),
        *("propertyOrdering", "additionalProperties", "defs", "ref", *_SAME, *_COUNTS),
    }
)


def json_schema(schema: object, *, closed: bool) -> dict[str, Any]:
    """Write ``schema`` as JSON Schema. Raises NotTranslatable.

    ``closed``: objects have no other properties than those named, which is how Google's models follow such a schema,
    and what others must be told.
    """
    return _Reading(closed).schema(schema, 0)


class _Reading:
    def __init__(self, closed: bool) -> None:
        self._closed = closed

    def schema(self, schema: object, depth: int) -> dict[str, Any]:
        need(depth < DEPTH_MAX, f"a schema of more than {DEPTH_MAX} levels has no counterpart")
        source = named(schema, _KNOWN, "a schema")

        def inner(value: object) -> dict[str, Any]:
            return self.schema(value, depth + 1)

        kind = enum(source.get("type", 0), _TYPES, "'type' of a schema")
        need(kind in _TYPES, "this 'type' of a schema has no counterpart")
        nullable = flag(source.get("nullable"), "'nullable'")
        written: dict[str, Any] = {}
        if kind != _TYPES[0]:
            written["type"] = [kind.lower(), "null"] if nullable else kind.lower()
        for name, value in source.items():
            written |= self._field(name, value, kind, inner)
        if nullable and "enum" in written:
            written["enum"] = [*written["enum"], None]
        if nullable and "type" not in written:
            written = {"anyOf": [written, {"type": "null"}]}
        if self._closed and written.get("properties") and "additionalProperties" not in written:
            written["additionalProperties"] = False
        return self._in_order(written, source.get("propertyOrdering"))

    def _field(self, name: str, value: object, kind: str, inner: Callable[[object], dict[str, Any]]) -> dict[str, Any]:
        if name in _SAME:
            return {name: value}
        if name in _COUNTS:
            return {name: integer(value, f"'{name}'")}
        match name:
            case "format":
                return (
                    {} if value == "enum" else {"format": string(value, "'format'")}
                )  # it only says that enum is there
            case "enum":
                return {"enum": [_member(each, kind) for each in array(value, "'enum'")]}
            case "example":
                return {"examples": [value]}
            case "items":
                return {"items": inner(value)}
            case "prefixItems" | "anyOf":
                return {name: [inner(each) for each in listed(value, f"'{name}'")]}
            case "properties" | "defs":
                found = {key: inner(each) for key, each in obj(value, f"'{name}'").items()}
                return {"$defs" if name == "defs" else name: found}
            case "additionalProperties":
                return {name: value if isinstance(value, bool) else inner(value)}
            case "ref":
                return {"$ref": string(value, "'ref'").replace("#/defs/", "#/$defs/", 1)}
        return {}  # type, nullable and propertyOrdering are for the whole

    def _in_order(self, written: dict[str, Any], ordering: object) -> dict[str, Any]:
        """JSON Schema has no word for the order in which properties come, but they stand in one."""
        properties = written.get("properties")
        if not properties or not ordering:
            return written
        first = [string(each, "'propertyOrdering'") for each in array(ordering, "'propertyOrdering'")]
        names = [*(name for name in first if name in properties), *(name for name in properties if name not in first)]
        return written | {"properties": {name: properties[name] for name in names}}


def _member(value: object, kind: str) -> object:
    """A value of an enum: strings, also for numbers."""
    spelled = string(value, "a value of 'enum'")
    if kind not in ("INTEGER", "NUMBER"):
        return spelled
    found = amount(spelled) if kind == "NUMBER" else integer(spelled, "a value of 'enum'")
    if found is None:
        raise NotTranslatable("a value of 'enum' is no number")
    return int(found) if found == int(found) else float(found)
