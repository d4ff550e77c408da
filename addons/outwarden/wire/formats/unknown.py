"""Find what matters in replies of a shape that nobody described: the texts that grow in a stream, usage, the model."""

from collections.abc import Iterator, Mapping
from typing import Any

from outwarden.wire.format import Delta
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import items, mapping, text
from outwarden.wire.usage import Usage

# Keys whose strings grow piece by piece in the streams of the APIs that were looked at (capitals: Tencent).
GROWING_TEXTS = frozenset(
    {
        "Content",
        "ReasoningContent",
        "answer",
        "completion",
        "content",
        "delta",
        "generated_text",
        "generation",
        "output",
        "outputText",
        "output_text",
        "reasoning",
        "reasoning_content",
        "reply",
        "response",
        "result",
        "text",
        "textDelta",
        "text_output",
        "thinking",
        "token",
        "value",
    }
)
_JSON_KEYS = frozenset({"argsTextDelta", "arguments", "partial_json"})
_DELTA_KEYS = GROWING_TEXTS | _JSON_KEYS
MODEL_KEYS = ("model", "model_id", "modelId", "model_name")
_USAGE_KEYS = (
    "usage",
    "usageMetadata",
    "usage_metadata",
    "meta",
    "metrics",
    "meta_info",  # SGLang
    "details",
    "x_groq",
    "message",
    "response",
    "result",
    "inference_status",  # DeepInfra
    "Response",  # Tencent
    "chatResponse",  # Oracle
    "inferenceResponse",
    "orchestration_result",  # SAP
    "final_result",
)
# An event with more strings than this is no piece of a text; what is not followed is scanned as whole strings.
_DELTAS_MAX = 256
_DEPTH_MAX = 16


def unknown_pieces(event: object) -> list[Delta]:
    """Every non-empty string under a delta key; its channel is the path to it, with the indexes on the way."""
    return list(_pieces(event, (), 0))[:_DELTAS_MAX]


def _pieces(node: object, where: tuple[object, ...], depth: int) -> Iterator[Delta]:
    if depth > _DEPTH_MAX:
        return
    if isinstance(node, list):
        for place, child in enumerate(node):
            yield from _pieces(child, (*where, place), depth + 1)
    elif isinstance(node, dict):
        # Text generation servers number their tokens; elsewhere an index tells texts apart.
        numbered = isinstance(node.get("index"), int) and not isinstance(node.get("token"), dict)
        here = (*where, node["index"]) if numbered else where
        for key, child in node.items():
            if isinstance(child, dict | list):
                yield from _pieces(child, (*here, key), depth + 1)
            elif key in _DELTA_KEYS and text(child):
                yield Delta(node, key, (*here, key), "json" if key in _JSON_KEYS else "text")


def usage_in(body: object) -> Usage | None:
    """A usage object under a usual key, the same one level down, in the first result, or the body itself."""
    source = _first(body)
    for key in _USAGE_KEYS:
        inner = mapping(source.get(key))
        if usage := any_usage(inner) or any_usage(inner.get("usage") or inner.get("Usage")):
            return usage
    first = items(source.get("results"))
    return any_usage(first[0] if first else None) or any_usage(source)


def model_in(body: object) -> str | None:
    """The model that is named at the top, or beside a usage one level down."""
    source = _first(body)
    places = (source, *(inner for key in _USAGE_KEYS if (inner := mapping(source.get(key)))))
    return next((name for place in places for key in MODEL_KEYS if (name := text(place.get(key)))), None)


def _first(body: object) -> Mapping[str, Any]:
    """The body, or the first of several."""
    return mapping(items(body)[0] if items(body) else body)
