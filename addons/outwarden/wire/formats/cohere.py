"""Cohere's API: chat v1 (NDJSON) and v2 (SSE), embed, rerank and the older calls."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from outwarden.wire.format import (
    Delta,
    ErrorReply,
    EventFacts,
    Framing,
    Json,
    Operation,
    Refusal,
    RequestFacts,
    ResponseFacts,
)
from outwarden.wire.formats import errors, facts
from outwarden.wire.formats.base import Dialect
from outwarden.wire.formats.offset_tables import COHERE
from outwarden.wire.formats.paths import path
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.formats.units import asked_units
from outwarden.wire.formats.unknown import unknown_pieces
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import items, mapping, position, text

_TEXTS = ("messages", "message", "images", "inputs")
# What a good reply has; errors have a `message` string and none of these.
_ANSWERS = frozenset({"text", "generations", "embeddings", "results", "finish_reason", "chat_history"})


class Cohere(Dialect):
    """Chat, embed, rerank, generate, classify, tokenize, transcriptions, models, data sets."""

    name = "cohere"
    rules = text_rules(
        "parameters",
        "parameter_definitions",
        "properties",
        "fields",
        "schema",
        "json_schema",
        "documents",
        "document",
        "outputs",
        "tool_output",
        offsets=COHERE,
    )
    paths = (
        path("chat", r"chat", billed="POST"),
        path("generate", r"(?:generate|summarize)", billed="POST"),
        path("embeddings", r"embed", billed="POST"),
        path("rerank", r"rerank", billed="POST"),
        path("classify", r"classify", billed="POST"),
        path("transcriptions", r"audio/transcriptions", billed="POST"),
        path("embed_jobs", r"embed-jobs", billed="POST"),
        path("embed_jobs", r"embed-jobs/.+"),
        path("tokenize", r"(?:de)?tokenize"),
        path("models", r"models(?:/[^/]+)?", only="GET HEAD OPTIONS"),
        path("parse", r"parse", billed="POST"),
        path("batches", r"batches", billed="POST", keeps=True),
        path("batches", r"batches/.+", keeps=True),
        path("datasets", r"(?:datasets|connectors)(?:/.*)?", keeps=True),
        path("fine_tuning", r"finetuning/finetuned-models", billed="POST", keeps=True),
        path("fine_tuning", r"finetuning/.+", keeps=True),
        path("check_api_key", r"check-api-key"),
    )

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """A v1 connector or a kept conversation adds input that is not in the body."""
        source = mapping(body)
        read = facts.read(operation, source, limits=("max_tokens",), choices=("num_generations",), texts=_TEXTS)
        unseen = bool(source.get("connectors") or source.get("conversation_id"))
        return replace(read, unseen_input=read.unseen_input or unseen, asks=asked_units(operation, body))

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """Usage is ``usage`` (v2) or ``meta`` (v1); errors are a bare ``message``."""
        source = mapping(body)
        usage = any_usage(source.get("usage")) or any_usage(source.get("meta"))
        failed = isinstance(source.get("message"), str) and _ANSWERS.isdisjoint(source)
        return ResponseFacts(text(source.get("model")), usage, errors.error_kind(source) if failed else None)

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """v2 events have a ``type``, v1 events an ``event_type``."""
        if data == "[DONE]":
            return EventFacts(closes="all", end=True)
        source = mapping(data)
        if error := errors.error_of(source):
            return EventFacts(closes="all", error=error)
        if isinstance(source.get("event_type"), str):
            return _read_v1(source["event_type"], source)
        if operation.name == "generate":  # the oldest: its events have no type
            return _read_v1("stream-end" if source.get("is_finished") else "text-generation", source)
        return _read_v2(str(source.get("type") or name), source)

    def refuse(self, refusal: Refusal, operation: Operation | None = None) -> ErrorReply:
        """A bare message; our code stands beside it and before it."""
        return errors.reply(refusal, {"message": errors.coded(refusal), "code": refusal.code})

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        """The last event of a stream that failed: ``finish_reason`` ERROR. Cohere has no other error event."""
        if framing == "ndjson":
            end = {"is_finished": True, "event_type": "stream-end", "finish_reason": "ERROR"}
            return errors.framed(framing, end | {"error": errors.coded(refusal)})
        delta = {"finish_reason": "ERROR", "error": errors.coded(refusal)}
        return errors.framed(framing, {"type": "message-end", "delta": delta}, "message-end")


def _first_object(value: object) -> dict[str, Any]:
    """``tool_calls`` and ``content`` of a delta are one object; a list with one is accepted too."""
    return mapping(items(value)[0] if items(value) else value)


def _v2_delta(kind: str, data: dict[str, Any]) -> Delta | None:
    message = mapping(mapping(data.get("delta")).get("message"))
    index = position(data)
    if kind.startswith("content-"):
        content = _first_object(message.get("content"))
        for key in ("text", "thinking"):
            if text(content.get(key)):
                return Delta(content, key, ("content", index))
    if kind == "tool-plan-delta" and text(message.get("tool_plan")):
        return Delta(message, "tool_plan", "plan")
    if kind.startswith("tool-call-"):
        function = mapping(_first_object(message.get("tool_calls")).get("function"))
        if text(function.get("arguments")):
            return Delta(function, "arguments", ("call", index), "json")
    return next(iter(unknown_pieces(message)), None) if kind.endswith("-delta") else None


# What went wrong, by the reason that the last event gives (Cohere's API reference, "finish_reason").
_FAILED = {"ERROR": "error", "ERROR_TOXIC": "content_filter", "ERROR_LIMIT": "context_length", "TIMEOUT": "timeout"}


def _read_v2(kind: str, data: dict[str, Any]) -> EventFacts:
    delta = _v2_delta(kind, data)
    ends = kind == "message-end"
    end_delta = mapping(data.get("delta"))
    error = _FAILED.get(str(end_delta.get("finish_reason"))) if ends else None
    closes = {"content-end": (("content", position(data)),), "tool-call-end": (("call", position(data)),)}
    return EventFacts(
        deltas=(delta,) if delta is not None else (),
        closes="all" if ends else ("plan",) if kind.endswith("-start") else closes.get(kind, ()),
        content=delta is not None or kind in ("tool-call-start", "citation-start"),
        usage=any_usage(end_delta.get("usage")) if ends else None,
        error=error,
        end=ends and error is None,
    )


def _read_v1(kind: str, data: dict[str, Any]) -> EventFacts:
    """The last event repeats the whole reply under ``response``."""
    ends = kind == "stream-end"
    error = _FAILED.get(str(data.get("finish_reason"))) if ends else None
    deltas: list[Delta] = []
    if kind in ("text-generation", "tool-calls-chunk") and text(data.get("text")):
        deltas.append(Delta(data, "text", "text"))
    call = mapping(data.get("tool_call_delta"))
    if text(call.get("parameters")):
        deltas.append(Delta(call, "parameters", ("call", position(call)), "json"))
    if text(call.get("text")):
        deltas.append(Delta(call, "text", "plan"))
    response = mapping(data.get("response"))
    return EventFacts(
        deltas=deltas,
        closes="all" if ends or kind == "tool-calls-generation" else (),
        content=bool(deltas) or kind in ("tool-calls-generation", "citation-generation"),
        usage=any_usage(response.get("meta")),
        error=error,
        end=ends and error is None,
    )
