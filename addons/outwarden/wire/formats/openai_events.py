"""Events of the Responses API, of assistant runs, and of streamed transcriptions, speech and images."""

from collections.abc import Hashable
from typing import Any

from outwarden.wire.format import Delta, EventFacts, Operation
from outwarden.wire.formats import errors
from outwarden.wire.formats.bills import on_tier
from outwarden.wire.formats.unknown import unknown_pieces
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import mapping, objects, text

_ENDS = frozenset(
    {"response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done"}
)


_INDEXES = ("content_index", "summary_index", "command_index")


def _channel(kind: str, data: dict[str, Any]) -> Hashable:
    """Where a piece belongs. Relays change ``item_id`` with every event (Copilot), so the position comes first."""
    place = data.get("output_index")
    return (
        kind.removesuffix(".delta").removesuffix(".done"),
        text(data.get("response_id")),  # of Realtime alone, where several responses may come at once
        place if isinstance(place, int) else text(data.get("item_id")),
        *(value if isinstance(value := data.get(key), int) else None for key in _INDEXES),
    )


def output_text_channel(data: dict[str, Any]) -> Hashable:
    """The channel of the text that an annotation event points into."""
    return _channel("response.output_text", data)


def _is_media(kind: str) -> bool:
    """Pieces of audio are base64; their transcript is text."""
    return "audio" in kind and "transcript" not in kind


def _delta(kind: str, data: dict[str, Any]) -> list[Delta]:
    if not kind.endswith("delta") or _is_media(kind):
        return []
    inner = mapping(data.get("delta"))
    if inner:  # a shell's output has two texts in one event
        return [Delta(inner, key, (_channel(kind, data), key)) for key in inner if text(inner[key])]
    if not text(data.get("delta")):  # Mistral's conversations and others: the piece has another name
        return unknown_pieces(data)
    return [Delta(data, "delta", _channel(kind, data), "json" if "arguments" in kind else "text")]


def pieces_of(kind: str, data: dict[str, Any]) -> EventFacts:
    """An event that nobody knows: of its text alone, by its name; what it means for the reply is not said."""
    closes = (_channel(kind, data),) if kind.endswith(".done") else ()
    return EventFacts(deltas=_delta(kind, data), closes=closes)


def _begins(kind: str, data: dict[str, Any]) -> bool:
    """Whether an event shows output: a piece, a whole item, a tool at work; not the life of the response itself."""
    if kind == "response.output_item.added":
        return str(mapping(data.get("item")).get("type")).endswith("_call")
    if kind == "response.output_item.done":
        return mapping(data.get("item")).get("type") != "reasoning"
    return (kind.endswith(".delta") and bool(data.get("delta"))) or "_call." in kind or "partial_image" in kind


def _responses_error(kind: str, data: dict[str, Any]) -> str | None:
    response = mapping(data.get("response"))
    if kind == "error":
        return errors.error_kind(data.get("error") or {"code": data.get("code")})
    if kind == "response.failed" or response.get("status") == "failed":
        return errors.error_kind(response.get("error"))
    return errors.error_of(data)


def read_responses_event(data: dict[str, Any]) -> EventFacts:
    """One event by its ``type``. The whole text that ``.done`` and ``response.completed`` repeat is no piece of it."""
    kind = str(data.get("type"))
    response = mapping(data.get("response"))
    error = _responses_error(kind, data)
    ends = kind in _ENDS
    closes: tuple[Hashable, ...] = (_channel(kind, data),) if kind.endswith(".done") else ()
    return EventFacts(
        deltas=_delta(kind, data),
        closes="all" if ends or error else closes,
        content=_begins(kind, data),
        usage=on_tier(any_usage(response.get("usage")), response) if response else None,
        model=text(response.get("model")),
        error=error,
        end=ends and error is None,
    )


def _run_deltas(data: dict[str, Any]) -> list[Delta]:
    """The pieces in ``thread.message.delta`` and ``thread.run.step.delta``."""
    delta = mapping(data.get("delta"))
    owner = text(data.get("id"))
    found: list[Delta] = []
    for part in objects(delta.get("content")):
        inner = mapping(part.get("text"))
        if text(inner.get("value")):
            found.append(Delta(inner, "value", (owner, "text", part.get("index"))))
        if text(part.get("refusal")):
            found.append(Delta(part, "refusal", (owner, "refusal", part.get("index"))))
    for call in objects(mapping(delta.get("step_details")).get("tool_calls")):
        for key, field in (("function", "arguments"), ("code_interpreter", "input")):
            inner = mapping(call.get(key))
            if text(inner.get(field)):
                channel = (owner, key, call.get("index"))
                found.append(Delta(inner, field, channel, "json" if field == "arguments" else "text"))
        for output in objects(mapping(call.get("code_interpreter")).get("outputs")):
            if text(output.get("logs")):
                found.append(Delta(output, "logs", (owner, "logs", call.get("index"), output.get("index"))))
    return found


def read_run_event(name: str | None, data: dict[str, Any]) -> EventFacts:
    """One event of an assistant's run; its usage is that of the run, not of its steps (they add up to it)."""
    is_run = data.get("object") == "thread.run"
    status = text(data.get("status")) or ""
    failed = is_run and status == "failed"
    deltas = _run_deltas(data)
    return EventFacts(
        deltas=deltas,
        closes="all" if (name or "").endswith((".completed", ".failed", ".incomplete", ".cancelled")) else (),
        content=bool(deltas),
        usage=any_usage(data.get("usage")) if is_run else None,
        model=text(data.get("model")) if is_run else None,
        error=errors.error_kind(data.get("last_error")) if failed else errors.error_of(data),
        end=is_run and status in ("completed", "incomplete", "cancelled", "requires_action", "expired"),
    )


def read_other_event(operation: Operation, name: str | None, data: dict[str, Any]) -> EventFacts:
    """Runs by ``object``; transcriptions, speech and images by ``type``; an error by its key."""
    if str(data.get("object")).startswith("thread") or operation.name == "runs":
        return read_run_event(name, data)
    error = errors.error_of(data) or ("error" if name == "error" else None)
    kind = text(data.get("type")) or ""
    # A type of one word is no event of OpenAI's (Coze: ``answer``): what grows in it is told by its key.
    deltas = _delta(kind, data) if "." in kind or kind.endswith("delta") else unknown_pieces(data)
    usage = any_usage(data.get("usage")) or any_usage(data.get("details"))  # details: of a text generation server
    # An event without a type is of no shape that we know (Writer: `{"value": …}`): any of them may be the last.
    ends = (kind.endswith((".done", ".completed")) or kind in ("", "finish")) and not error
    return EventFacts(
        deltas=deltas,
        closes="all" if (ends and kind) or error else (),
        content=bool(deltas) or kind.startswith(("speech.audio", "image_")),
        usage=usage or (None if kind else any_usage(data)),
        model=text(data.get("model")) or text(data.get("modelId")),
        error=error,
        end=ends,
    )
