"""Events of Bedrock's streams: Converse, every model family on invoke, agents, knowledge bases, SageMaker.

On invoke each frame wraps a JSON event of the model's maker (the codec has unwrapped it); it is told by its shape,
because a path may name a profile or an imported model.
"""

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

from outwarden.wire.format import Delta, EventFacts, Json, Operation
from outwarden.wire.formats import errors
from outwarden.wire.formats.anthropic import Anthropic
from outwarden.wire.formats.bills import on_tier
from outwarden.wire.formats.cohere import Cohere
from outwarden.wire.formats.openai_chat import read_chat_event
from outwarden.wire.formats.unknown import unknown_pieces
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import mapping, objects, position, text
from outwarden.wire.usage import Usage

_METRICS = "amazon-bedrock-invocationMetrics"
_ANTHROPIC, _COHERE = Anthropic(), Cohere()


def read_event(operation: Operation, name: str | None, data: Json) -> EventFacts:
    """Read one event of any stream of this API. ``data`` is a str where a frame carries bare text (SageMaker)."""
    if name is not None and is_error(name):
        return EventFacts(closes="all", error=errors.error_kind({"type": name, **mapping(data)}))
    if not isinstance(data, dict):
        return EventFacts(content=bool(data), end=True)
    if operation.name == "invoke":
        inner = data.get("bytes")
        return _read_model(inner if isinstance(inner, dict) else data)
    if operation.name == "endpoint":  # what a container says; no event of the API's own tells its end
        facts = _read_model(data)
        return replace(facts, end=facts.error is None)
    if operation.name == "converse":
        return _read_converse(name, data)
    return _read_part(name, data)


def is_error(name: str) -> bool:
    """Whether a frame of this name ends a stream badly."""
    return name.startswith("error ") or name.endswith(("Exception", "Error", "Failure"))


# --- Converse, and Nova on invoke ------------------------------------------------------------------------------------


def _read_converse(name: str | None, data: dict[str, Any]) -> EventFacts:
    read = _CONVERSE.get(name or "")
    return read(data) if read is not None else EventFacts()


def _read_block_start(data: dict[str, Any]) -> EventFacts:
    """A text block begins without this event; what begins with it is a tool call, a tool's result or a picture."""
    return EventFacts(content=bool(data.get("start")))


def _read_block_delta(data: dict[str, Any]) -> EventFacts:
    """Reasoning is no piece of text: it will be signed, so it passes as it is (see `rules`)."""
    delta = mapping(data.get("delta"))
    index = position(data, "contentBlockIndex")
    deltas: list[Delta] = []
    if text(delta.get("text")):
        deltas.append(Delta(delta, "text", (index, "text")))
    call = mapping(delta.get("toolUse"))
    if text(call.get("input")):
        deltas.append(Delta(call, "input", (index, "input"), "json"))
    parts = objects(delta.get("toolResult"))  # of a tool that runs at AWS
    deltas += (Delta(part, "text", (index, "text")) for part in parts if text(part.get("text")))
    return EventFacts(deltas=deltas, content=any(delta.get(key) for key in delta if key != "toolUse") or bool(deltas))


def _read_block_stop(data: dict[str, Any]) -> EventFacts:
    index = position(data, "contentBlockIndex")
    return EventFacts(closes=((index, "text"), (index, "input")))


def _read_message_stop(data: dict[str, Any]) -> EventFacts:
    return EventFacts(closes="all", end=True)


def _read_metadata(data: dict[str, Any]) -> EventFacts:
    return EventFacts(closes="all", usage=on_tier(any_usage(data.get("usage")), tier_of(data)), end=True)


def tier_of(source: dict[str, Any]) -> dict[str, Any]:
    """The price list that a reply, or its last event, says it was served on, as others write it."""
    return {"service_tier": mapping(source.get("serviceTier")).get("type")}


_CONVERSE: dict[str, Callable[[dict[str, Any]], EventFacts]] = {
    "contentBlockStart": _read_block_start,
    "contentBlockDelta": _read_block_delta,
    "contentBlockStop": _read_block_stop,
    "messageStop": _read_message_stop,
    "metadata": _read_metadata,
}


# --- the model families on invoke ------------------------------------------------------------------------------------


def _read_model(event: dict[str, Any]) -> EventFacts:
    """The last event of most families also carries Bedrock's own count of the tokens."""
    read = next((read for key, read in _FAMILIES if key in event), _read_unknown)
    facts = read(event)
    metrics = any_usage(event.get(_METRICS))
    stopped = event.get("amazon-bedrock-guardrailAction") == "INTERVENED" and "amazon-bedrock-trace" in event
    if facts.error or not (metrics or stopped):
        return facts
    # Anthropic's own figures stand in earlier events and say more (cache, tools); Bedrock's differ at times.
    usage = None if event.get("type") == "message_stop" else facts.usage or metrics
    return replace(facts, closes="all", usage=usage, end=True)


def _read_anthropic(event: dict[str, Any]) -> EventFacts:
    return _ANTHROPIC.read_event(Operation("messages"), "completion" if "completion" in event else None, event)


def _read_typed(event: dict[str, Any]) -> EventFacts:
    """Anthropic's kinds have underscores, those of Cohere's newer API hyphens."""
    return _read_cohere(event) if "-" in str(event["type"]) else _read_anthropic(event)


def _read_cohere(event: dict[str, Any]) -> EventFacts:
    return _COHERE.read_event(Operation("chat"), None, event)


def _read_nova(event: dict[str, Any]) -> EventFacts:
    name = next(key for key in (*_CONVERSE, "messageStart") if key in event)
    return _read_converse(name, mapping(event[name]))


def _read_titan(event: dict[str, Any]) -> EventFacts:
    return _piece(event, "outputText", position(event), bool(event.get("completionReason")), any_usage(event))


def _read_llama(event: dict[str, Any]) -> EventFacts:
    return _piece(event, "generation", 0, bool(event.get("stop_reason")), any_usage(event))


def _read_command(event: dict[str, Any]) -> EventFacts:
    """Cohere's older models: a piece of text, then one event that says why it ended."""
    return _piece(event, "text", position(event), bool(event.get("is_finished")))


def _read_token(event: dict[str, Any]) -> EventFacts:
    """Hugging Face's text generation server; its last event repeats the whole text."""
    token = mapping(event.get("token"))
    deltas = (Delta(token, "text", "token"),) if text(token.get("text")) and not token.get("special") else ()
    ends = text(event.get("generated_text")) is not None
    return EventFacts(deltas=deltas, closes="all" if ends else (), content=bool(deltas), end=ends)


def _read_generations(event: dict[str, Any]) -> EventFacts:
    """Cohere's older models, not asked to stream in pieces: the whole answer in one event."""
    return EventFacts(content=True, end=True, usage=any_usage(event.get("meta")))


def _read_mistral(event: dict[str, Any]) -> EventFacts:
    parts = [(n, part) for n, part in enumerate(objects(event.get("outputs"))) if text(part.get("text"))]
    deltas = [Delta(part, "text", (position(part, default=n), "text")) for n, part in parts]
    ends = any(part.get("stop_reason") for part in objects(event.get("outputs")))
    return EventFacts(deltas=deltas, closes="all" if ends else (), content=bool(deltas), end=ends)


def _read_choices(event: dict[str, Any]) -> EventFacts:
    """OpenAI's shape (gpt-oss, Qwen, Jamba, DeepSeek, Mistral's newer models)."""
    facts = read_chat_event(event)
    ends = facts.end or any(choice.get("stop_reason") for choice in objects(event.get("choices")))
    return replace(facts, closes="all" if ends else facts.closes, end=ends)


def _read_unknown(event: dict[str, Any]) -> EventFacts:
    """A family that is not known: the usual words name what grows; the stream may end anywhere."""
    pieces, usage = unknown_pieces(event), any_usage(event.get("usage"))
    return EventFacts(deltas=pieces, content=True, usage=usage, end=True, error=errors.error_of(event))


def _piece(event: dict[str, Any], key: str, channel: Hashable, ends: bool, usage: Usage | None = None) -> EventFacts:
    filled = text(event.get(key)) is not None
    deltas = (Delta(event, key, (channel, key)),) if filled else ()
    return EventFacts(deltas=deltas, closes="all" if ends else (), content=filled, usage=usage, end=ends)


# Which key gives a family away, most telling first.
_FAMILIES: tuple[tuple[str, Callable[[dict[str, Any]], EventFacts]], ...] = (
    ("contentBlockDelta", _read_nova),
    ("contentBlockStart", _read_nova),
    ("contentBlockStop", _read_nova),
    ("messageStart", _read_nova),
    ("messageStop", _read_nova),
    ("metadata", _read_nova),
    ("choices", _read_choices),
    ("event_type", _read_cohere),
    ("type", _read_typed),
    ("completion", _read_anthropic),
    ("outputText", _read_titan),
    ("generation", _read_llama),
    ("outputs", _read_mistral),
    ("generations", _read_generations),
    ("is_finished", _read_command),
    ("token", _read_token),
)


# --- agents, knowledge bases, flows, SageMaker -----------------------------------------------------------------------


def _read_part(name: str | None, data: dict[str, Any]) -> EventFacts:
    """An answer in one or more parts, with a trace of the steps between them. No event says that it is the last."""
    if name == "trace":
        return _read_trace(mapping(data.get("trace")))
    key = "bytes" if name == "chunk" else "text"
    parent = mapping(data.get("output")) if name == "output" and "output" in data else data
    deltas = (Delta(parent, key, "text"),) if name in ("chunk", "output") and text(parent.get(key)) else ()
    return EventFacts(deltas=deltas, content=True, end=True, error=errors.error_of(data))


def _read_trace(trace: dict[str, Any]) -> EventFacts:
    """Each step that calls a model reports its own tokens."""
    model = usage = None
    for step in trace.values():
        model = text(mapping(mapping(step).get("modelInvocationInput")).get("foundationModel")) or model
        output = mapping(mapping(step).get("modelInvocationOutput"))
        usage = any_usage(mapping(output.get("metadata")).get("usage")) or usage
    return EventFacts(content=True, usage=usage, usage_adds=True, model=model, end=True)
