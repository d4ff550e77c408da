"""Events of Google's Interactions API: an answer is a list of steps, each a text, a thought, a call or a result."""

from collections.abc import Iterator
from typing import Any

from outwarden.wire.format import Delta, EventFacts
from outwarden.wire.formats import errors
from outwarden.wire.formats.bills import on_tier
from outwarden.wire.formats.unknown import GROWING_TEXTS
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import mapping, position, text

# The last are those of kinds that nobody described.
_PIECES = ("text", "thought", "arguments", *sorted(GROWING_TEXTS - {"text"}))


def read_interaction(kind: str, data: dict[str, Any]) -> EventFacts:
    """Steps with an index, each a text, a thought or a call; the last event carries the usage."""
    interaction = mapping(data.get("interaction"))
    delta = mapping(data.get("delta"))
    index = position(data)
    deltas = list(_deltas(index, delta))
    error = errors.error_of(data) or ("error" if kind in ("error", "interaction.failed") else None)
    ends = kind in ("interaction.completed", "interaction.complete")
    stops = tuple((index, key) for key in _PIECES) if kind.endswith(".stop") else ()
    return EventFacts(
        deltas=deltas,
        closes="all" if ends or error else stops,
        content=bool(deltas) or (bool(delta) and delta.get("type") != "thought_signature"),
        usage=on_tier(any_usage(interaction.get("usage")), interaction),
        model=text(interaction.get("model")),
        error=error,
        end=ends and error is None,
    )


def _deltas(index: int, delta: dict[str, Any]) -> Iterator[Delta]:
    """The pieces in a step's delta; a thought's summary stands one level down."""
    for key in _PIECES:
        if text(delta.get(key)):
            yield Delta(delta, key, (index, key), "json" if key == "arguments" else "text")
    summary = mapping(delta.get("content"))
    if text(summary.get("text")):
        yield Delta(summary, "text", (index, "thought"))
