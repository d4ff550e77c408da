"""Anthropic's API, also where others serve it: Vertex, vLLM, Ollama, DeepSeek, z.ai, OpenRouter, gateways."""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

from outwarden.wire.format import Delta, ErrorReply, EventFacts, Framing, Json, Operation, Refusal, RequestFacts
from outwarden.wire.formats import errors, facts
from outwarden.wire.formats.base import Dialect
from outwarden.wire.formats.paths import path
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.formats.unknown import GROWING_TEXTS
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import mapping, number, objects, position, text

_REST = r"(?:/.*)?"
_LIMITS = ("max_tokens", "max_tokens_to_sample")
_TEXTS = ("messages", "system")

# The strings that content_block_delta carries. What is signed is missing on purpose, whatever its kind is called: it
# passes as it is.
_SIGNED = frozenset({"thinking_delta", "compaction_delta", "signature_delta"})
_KINDS = GROWING_TEXTS.union(["partial_json"]) - {"thinking"}


class Anthropic(Dialect):
    """Messages, token counts, batches, files, models, managed agents, and the old completions."""

    name = "anthropic"
    elsewhere = frozenset({"messages", "count_tokens", "message_batches", "complete"})
    rules = text_rules(
        "input", "input_schema", "input_examples", "output_schema", "properties", "schema", "metadata", "examples"
    )
    paths = (
        path("messages", r"messages", billed="POST"),
        path("count_tokens", r"messages/count_tokens"),
        path("message_batches", r"messages/batches", billed="POST", keeps=True),
        path("message_batches", r"messages/batches/[^/]+(?:/results|/cancel)?", keeps=True),
        path("complete", r"v1/complete", billed="POST"),
        path("count_tokens", r"publishers/anthropic/models/count-tokens:rawPredict"),
        path("messages", r"publishers/anthropic/models/(?P<model>[^/:]+):rawPredict", billed="POST"),
        path("messages", r"publishers/anthropic/models/(?P<model>[^/:]+):streamRawPredict", billed="POST", stream=True),
        path("files", r"files(?:/[^/]+(?:/content)?)?", keeps=True),
        path("models", r"models(?:/[^/:]+)?", only="GET HEAD OPTIONS"),
        path("organization", rf"organizations{_REST}"),
        path("skills", rf"skills{_REST}", keeps=True),
        # Managed agents: an event of the user's makes the session work, and so does a run of a deployment.
        path("agent_sessions", r"sessions(?:/[^/]+/events)?", billed="POST", keeps=True),
        path("agent_sessions", rf"sessions/[^/]+{_REST}", keeps=True),
        path("agent_sessions", r"(?:dreams|deployments/[^/]+/run)", billed="POST", keeps=True),
        path("memory_stores", rf"(?:memory_stores|dreams){_REST}", keeps=True),
        path("agents", rf"(?:agents|deployments|deployment_runs|environments|user_profiles){_REST}", keeps=True),
        path("administration", rf"(?:vaults|tunnels){_REST}"),
        path("compliance", rf"compliance{_REST}", keeps=True),
    )

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """A batch is read as the sum of its requests; of several models none is named, so that no price is guessed."""
        source = mapping(body)
        if operation.name == "message_batches":
            return self._read_batch(operation, source)
        read = facts.read(operation, source, limits=_LIMITS, texts=_TEXTS)
        fetches = any("web_" in str(tool.get("type")) for tool in objects(source.get("tools")))
        servers = bool(source.get("mcp_servers"))
        thinking = number(mapping(source.get("thinking")).get("budget_tokens")) or 0
        return replace(
            read,
            output_least=thinking + 1 if thinking > 0 else 0,  # max_tokens holds the thinking and must be more
            unseen_input=read.unseen_input or fetches or servers or _has_compaction(source),
        )

    def _read_batch(self, operation: Operation, source: dict[str, Any]) -> RequestFacts:
        parts = [self.read_request(Operation("messages"), one.get("params")) for one in objects(source.get("requests"))]
        models = {part.model for part in parts}
        limits = [part.output_limit for part in parts if part.output_limit is not None]
        return RequestFacts(
            model=models.pop() if len(models) == 1 else None,
            output_limit=sum(limits) if parts and len(limits) == len(parts) else None,
            unseen_input=any(part.unseen_input for part in parts),
        )

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """By ``type``; the old completions API says ``completion``."""
        if not isinstance(data, dict):
            return EventFacts()
        if operation.name == "message_batches":
            return super().read_event(operation, name, data)
        if operation.name == "agent_sessions" and errors.error_of(data) is None:
            return _read_session_event(data) or super().read_event(operation, name, data)
        kind = data.get("type") or name
        read = _EVENTS.get(kind) if isinstance(kind, str) else None
        if error := errors.error_of(data):
            return EventFacts(closes="all", error=error)
        return read(data) if read is not None else EventFacts()

    def refuse(self, refusal: Refusal, operation: Operation | None = None) -> ErrorReply:
        """``{"type": "error", "error": {…}}``."""
        return errors.reply(refusal, errors.anthropic_error(refusal))

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        """``event: error``, on which the SDKs raise."""
        return errors.framed(framing, errors.anthropic_error(refusal), "error")


def _has_compaction(source: dict[str, Any]) -> bool:
    """Whether a turn was replaced by the provider's own summary of it, which names what earlier calls replaced."""
    parts = (part for message in objects(source.get("messages")) for part in objects(message.get("content")))
    return any(part.get("type") == "compaction" for part in parts)


def _read_session_event(data: dict[str, Any]) -> EventFacts | None:
    """A piece of an agent's message that is still being written; the message itself repeats the whole, and may end."""
    delta = mapping(data.get("delta"))
    if data.get("type") != "event_delta" or not text(mapping(delta.get("content")).get("text")):
        return None
    channel = (text(data.get("event_id")), position(delta))
    return EventFacts(deltas=(Delta(delta["content"], "text", channel),), content=True)


def _block_channels(index: int) -> tuple[Hashable, ...]:
    return tuple((index, kind) for kind in _KINDS)


def _read_start(data: dict[str, Any]) -> EventFacts:
    """What a program of the model's own did between two calls may be all there already, and no block follows."""
    message = mapping(data.get("message"))
    usage = any_usage(message.get("usage"))
    return EventFacts(content=bool(message.get("content")), usage=usage, model=text(message.get("model")))


def _read_block_start(data: dict[str, Any]) -> EventFacts:
    """A tool call or a server's result is output at once; a text or thinking block begins empty."""
    block = mapping(data.get("content_block"))
    kind = block.get("type")
    if kind == "text":
        filled = text(block.get("text")) is not None
        deltas = (Delta(block, "text", (position(data), "text")),) if filled else ()
        return EventFacts(deltas=deltas, content=filled)
    if kind == "fallback":  # from here on another model writes than message_start named
        return EventFacts(model=text(mapping(block.get("to")).get("model")))
    return EventFacts(content=kind != "thinking" or text(block.get("thinking")) is not None)


def _read_block_delta(data: dict[str, Any]) -> EventFacts:
    delta = mapping(data.get("delta"))
    if text(delta.get("type")) in _SIGNED:
        shown = text(delta.get("thinking")) or text(delta.get("content")) or ""
        return EventFacts(content=bool(shown), other_bytes=len(shown.encode("utf-8", "replace")))
    index = position(data)
    pieces = [
        Delta(delta, key, (index, key), "json" if key == "partial_json" else "text")
        for key in delta
        if key in _KINDS and text(delta[key])
    ]
    return EventFacts(deltas=pieces, content=bool(pieces))


def _read_block_stop(data: dict[str, Any]) -> EventFacts:
    return EventFacts(closes=_block_channels(position(data)))


def _read_message_delta(data: dict[str, Any]) -> EventFacts:
    """Usage here is cumulative and beats message_start's. Once there is a reason to stop, all is said."""
    ended = text(mapping(data.get("delta")).get("stop_reason")) is not None
    return EventFacts(closes="all", usage=any_usage(data.get("usage")), end=ended)


def _read_stop(data: dict[str, Any]) -> EventFacts:
    return EventFacts(closes="all", end=True)


def _read_completion(data: dict[str, Any]) -> EventFacts:
    """The old API: one text, until ``stop_reason`` is set."""
    filled = text(data.get("completion")) is not None
    deltas = (Delta(data, "completion", "completion"),) if filled else ()
    ends = data.get("stop_reason") is not None
    return EventFacts(
        deltas=deltas, closes="all" if ends else (), content=filled, model=text(data.get("model")), end=ends
    )


_EVENTS = {
    "message_start": _read_start,
    "content_block_start": _read_block_start,
    "content_block_delta": _read_block_delta,
    "content_block_stop": _read_block_stop,
    "message_delta": _read_message_delta,
    "message_stop": _read_stop,
    "completion": _read_completion,
}
