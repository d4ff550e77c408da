"""Ollama's own API: NDJSON streams, on by default; its OpenAI and Anthropic endpoints are those dialects' business."""

from collections.abc import Mapping
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
from outwarden.wire.formats.paths import path
from outwarden.wire.formats.rules import text_rules
from outwarden.wire.formats.unknown import unknown_pieces
from outwarden.wire.formats.usages import any_usage
from outwarden.wire.formats.values import items, mapping, text

_STREAMS = frozenset({"chat", "generate", "pull", "push", "create"})


class Ollama(Dialect):
    """Chat, generate, embeddings and the management of models."""

    name = "ollama"
    elsewhere = frozenset({"chat", "generate", "embeddings"})
    rules = text_rules("arguments", "parameters", "properties", "format", "state")
    paths = (
        path("chat", r"api/chat", billed="POST"),
        path("generate", r"api/generate", billed="POST"),
        path("embeddings", r"api/embed(?:dings)?", billed="POST"),
        path("decisions", r"v1/systemone", billed="POST"),
        path("models", r"api/(?:tags|ps|show|version|copy|delete)"),
        path("blobs", r"api/blobs/[^/]+"),
        path("pull", r"api/pull"),
        path("push", r"api/push"),
        path("create", r"api/create"),
        path("web", r"api/(?:web_search|web_fetch)"),
    )

    def identify(self, method: str, path: str) -> Operation:
        """``GET /`` asks whether the server runs."""
        if path in ("", "/"):
            return Operation("health", billable=False, dialect=self.name)
        return super().identify(method, path)

    def read_request(self, operation: Operation, body: Json) -> RequestFacts:
        """Streams unless told not to; ``num_predict`` -1 and -2 mean no limit. ``images`` hold bare base64."""
        source = mapping(body)
        streams = operation.name in _STREAMS
        texts = ("messages", "images")
        return facts.read(operation, source, limits=("options.num_predict",), texts=texts, default_stream=streams)

    def read_reply(self, operation: Operation, body: Json, headers: Mapping[str, str]) -> ResponseFacts:
        """The counts stand beside the text; a stream read as a whole ends with them."""
        source = mapping(items(body)[-1] if items(body) else body)
        return ResponseFacts(text(source.get("model")), any_usage(source), errors.error_of(source))

    def read_event(self, operation: Operation, name: str | None, data: Json) -> EventFacts:
        """One object per line; the last one says ``done``. Progress of a pull has no end but its ``success``."""
        source = mapping(data)
        if error := errors.error_of(source):
            return EventFacts(closes="all", error=error)
        if "done" not in source:
            return EventFacts(content=True, end=source.get("status") == "success")
        return _read_piece(source)

    def refuse(self, refusal: Refusal, operation: Operation | None = None) -> ErrorReply:
        """``{"error": "…"}``."""
        return errors.reply(refusal, {"error": errors.coded(refusal)})

    def refuse_event(self, operation: Operation, framing: Framing, refusal: Refusal) -> bytes:
        """The same as a line: the clients raise on it."""
        return errors.framed(framing, {"error": errors.coded(refusal)})


def _read_piece(source: dict[str, Any]) -> EventFacts:
    message = mapping(source.get("message"))
    places = ((message, "thinking"), (source, "thinking"), (message, "content"), (source, "response"))
    deltas = [
        Delta(parent, key, "thinking" if key == "thinking" else "text")
        for parent, key in places
        if text(parent.get(key))
    ] or unknown_pieces(source)
    done = source.get("done") is True
    has_text = any(delta.channel == "text" for delta in deltas)
    return EventFacts(
        deltas=deltas,
        closes="all" if done else ("thinking",) if has_text and len(deltas) == 1 else (),
        content=bool(deltas) or bool(message.get("tool_calls")),
        usage=any_usage(source) if done else None,
        model=text(source.get("model")),
        end=done,
    )
