"""The formats that are translated, each with what reads and writes it."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from outwarden.wire.format import Framing
from outwarden.wire.translation import (
    anthropic_reply,
    anthropic_request,
    anthropic_stream,
    errors,
    gemini_reply,
    gemini_request,
    gemini_stream,
    openai_reply,
    openai_request,
    openai_stream,
)
from outwarden.wire.translation.deltas import Failed, Piece
from outwarden.wire.translation.neutral import Asked, Conversation, Reply


class Reader(Protocol):
    """Events of one format in, pieces out."""

    def read(self, name: str | None, data: Any) -> Iterator[Piece]: ...

    def finish(self) -> Iterator[Piece]: ...


class Writer(Protocol):
    """Pieces in, events of one format out."""

    def write(self, piece: Piece) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Tongue:
    """One format: the operation that is translated, and how it is read and written.

    ``target``: path and query as an SDK spells them, which ``read_request`` gets beside the body. ``framing``: how a
    stream comes to who asks for this target. ``error``: told the status of an answer that is no more than an error.
    ``headers``: what a request needs beside its body and key.
    """

    name: str
    operation: str
    target: Callable[[Conversation], str]
    read_request: Callable[[object, str], Conversation]
    write_request: Callable[[Conversation], dict[str, Any]]
    read_reply: Callable[[object], Reply]
    write_reply: Callable[[Reply, Asked], dict[str, Any]]
    reader: Callable[[], Reader]
    writer: Callable[[Asked], Writer]
    error: Callable[[Failed, int | None], dict[str, Any]]
    framing: Callable[[str], Framing] = lambda target: "sse"
    headers: Mapping[str, str] = field(default_factory=dict)


TONGUES = {
    "openai": Tongue(
        "openai",
        "chat",
        lambda conversation: "/v1/chat/completions",
        lambda body, target: openai_request.read_request(body),
        openai_request.write_request,
        openai_reply.read_reply,
        lambda reply, asked: openai_reply.write_reply(reply, int(time.time())),
        openai_stream.Reader,
        lambda asked: openai_stream.Writer(asked.tells_usage, int(time.time())),
        lambda error, status: {"error": errors.openai_error(error.kind, error.message)},
    ),
    "anthropic": Tongue(
        "anthropic",
        "messages",
        lambda conversation: "/v1/messages",
        lambda body, target: anthropic_request.read_request(body),
        anthropic_request.write_request,
        anthropic_reply.read_reply,
        lambda reply, asked: anthropic_reply.write_reply(reply),
        anthropic_stream.Reader,
        lambda asked: anthropic_stream.Writer(),
        lambda error, status: errors.anthropic_error(error.kind, error.message),
        headers={"anthropic-version": anthropic_request.VERSION},
    ),
    "gemini": Tongue(
        "gemini",
        "generate_content",
        gemini_request.write_target,
        gemini_request.read_request,
        gemini_request.write_request,
        gemini_reply.read_reply,
        gemini_reply.write_reply,
        gemini_stream.Reader,
        gemini_stream.Writer,
        lambda error, status: errors.google_error(error.kind, error.message, status),
        framing=lambda target: gemini_request.read_target(target)[2],
    ),
}
