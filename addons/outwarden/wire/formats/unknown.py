"""Find the growing texts in stream events of a shape that nobody described."""

from collections.abc import Iterator

from outwarden.wire.format import Delta
from outwarden.wire.formats.values import text

# Keys whose strings grow piece by piece in the streams of the APIs that were looked at.
GROWING_TEXTS = frozenset(
    {
        "answer",
        "completion",
        "content",
        "delta",
        "generated_text",
        "output",
        "output_text",
        "reasoning",
        "reasoning_content",
        "response",
        "text",
        "textDelta",
        "thinking",
        "token",
        "value",
    }
)
_JSON_KEYS = frozenset({"argsTextDelta", "arguments", "partial_json"})
_DELTA_KEYS = GROWING_TEXTS | _JSON_KEYS
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
