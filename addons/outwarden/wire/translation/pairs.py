"""Which formats are translated into which, and the four things that a translation does."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from outwarden.errors import BodyError, NotTranslatable
from outwarden.wire.formats.errors import encode
from outwarden.wire.json_tree import read_json
from outwarden.wire.sse import SseCodec
from outwarden.wire.translation import (
    anthropic_reply,
    anthropic_request,
    anthropic_stream,
    errors,
    openai_reply,
    openai_request,
    openai_stream,
)
from outwarden.wire.translation.deltas import Failed, Over, Piece
from outwarden.wire.translation.neutral import Conversation, Reply, load

MAX_EVENT_BYTES = 8 * 2**20  # as StreamRewriter, which has cut the stream before


class Reader(Protocol):
    """Events of one format in, pieces out."""

    def read(self, name: str | None, data: Any) -> Iterator[Piece]: ...

    def finish(self) -> Iterator[Piece]: ...


class Writer(Protocol):
    """Pieces in, events of one format out."""

    def write(self, piece: Piece) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Tongue:
    """One format: the operation that is translated, its path as an SDK spells it, and how it is read and written.

    ``headers``: what a request needs beside its body and key.
    """

    name: str
    operation: str
    path: str
    read_request: Callable[[object], Conversation]
    write_request: Callable[[Conversation], dict[str, Any]]
    read_reply: Callable[[object], Reply]
    write_reply: Callable[[Reply], dict[str, Any]]
    reader: Callable[[], Reader]
    writer: Callable[[bool], Writer]  # told whether the client wants the usage of a stream
    error: Callable[[Failed], dict[str, Any]]
    headers: Mapping[str, str]


TONGUES = {
    "openai": Tongue(
        "openai",
        "chat",
        "/v1/chat/completions",
        openai_request.read_request,
        openai_request.write_request,
        openai_reply.read_reply,
        lambda reply: openai_reply.write_reply(reply, int(time.time())),
        openai_stream.Reader,
        lambda tells_usage: openai_stream.Writer(tells_usage, int(time.time())),
        lambda error: {"error": errors.openai_error(error.kind, error.message)},
        {},
    ),
    "anthropic": Tongue(
        "anthropic",
        "messages",
        "/v1/messages",
        anthropic_request.read_request,
        anthropic_request.write_request,
        anthropic_reply.read_reply,
        anthropic_reply.write_reply,
        anthropic_stream.Reader,
        lambda tells_usage: anthropic_stream.Writer(),
        lambda error: errors.anthropic_error(error.kind, error.message),
        {"anthropic-version": anthropic_request.VERSION},
    ),
}


def translated_pairs() -> frozenset[tuple[str, str]]:
    """(caller's format, upstream's format) of all that is translated."""
    return frozenset((caller, upstream) for caller in TONGUES for upstream in TONGUES if caller != upstream)


def is_translated(caller: str, upstream: str, operation: str) -> bool:
    """Whether calls for this operation of the format ``caller`` may go to an upstream of the other format at all."""
    return (caller, upstream) in translated_pairs() and TONGUES[caller].operation == operation


class StreamTranslation:
    """SSE of the upstream's format in, SSE of the caller's out, however it is cut."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._codec = SseCodec(MAX_EVENT_BYTES)
        self._reader = reader
        self._writer = writer
        self._over = False

    def feed(self, data: bytes) -> bytes:
        """Take bytes. Raises NotTranslatable, and BodyError where an event is no JSON."""
        return b"".join(self._read(event.name, event.data) for event in self._codec.feed(data) if event.data)

    def flush(self) -> bytes:
        """The upstream has ended: return the rest; a stream that was cut gets no end."""
        last = [(event.name, event.data) for event in self._codec.flush() if event.data]
        rest = b"".join(self._read(name, data) for name, data in last if _is_whole(data))
        return rest + self._write(self._reader.finish())

    def _read(self, name: str | None, data: bytes) -> bytes:
        return self._write(self._reader.read(name, _tree(data)))

    def _write(self, pieces: Iterator[Piece]) -> bytes:
        out = bytearray()
        for piece in pieces:
            if self._over:
                break
            self._over = isinstance(piece, Over | Failed)
            try:
                out += self._writer.write(piece)
            except UnicodeEncodeError:
                raise NotTranslatable("half of a surrogate pair has no counterpart") from None
        return bytes(out)


def _is_whole(data: bytes) -> bool:
    """Whether the last event, which no empty line ended, was not cut; one that was is none, as the standard says."""
    try:
        _tree(data)
    except BodyError:
        return False
    return True


def _tree(data: bytes) -> Any:
    if data.strip() == b"[DONE]":
        return "[DONE]"
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        raise BodyError("an event of the stream is not JSON") from None


@dataclass(frozen=True, slots=True)
class Translation:
    """One call between two formats; ``body`` is its request in the upstream's."""

    upstream: Tongue
    caller: Tongue
    body: bytes
    tells_usage: bool

    def reply(self, body: bytes) -> bytes:
        """A whole answer for the caller. Raises NotTranslatable."""
        return _spelled(self.caller.write_reply(self.upstream.read_reply(load(body, "the reply"))))

    def error(self, body: bytes) -> bytes:
        """An error answer for the caller; never raises."""
        try:
            tree = read_json(body)
        except BodyError:
            tree = None  # a page of a proxy in between, which no client could read as an error of its provider's
        return encode(self.caller.error(errors.failed(tree)))

    def stream(self, *, asked_for_usage: bool) -> StreamTranslation:
        """A streamed answer for the caller; ``asked_for_usage``: that was we, and not the caller."""
        return StreamTranslation(self.upstream.reader(), self.caller.writer(self.tells_usage and not asked_for_usage))


def translation(caller: str, upstream: str, operation: str, body: bytes, model: str | None) -> Translation:
    """Translate a request for ``operation`` of the format ``caller``. Raises NotTranslatable.

    ``model``: what the upstream is asked for; None: what the request names.
    """
    own, other = TONGUES.get(caller), TONGUES.get(upstream)
    if own is None or other is None or own is other or own.operation != operation:
        raise NotTranslatable(f"{operation or 'this operation'} of {caller} is not translated to {upstream}")
    conversation = own.read_request(load(body, "the request"))
    written = other.write_request(conversation)
    if model is not None:
        written["model"] = model
    return Translation(other, own, _spelled(written), conversation.tells_usage)


def _spelled(body: dict[str, Any]) -> bytes:
    try:
        return encode(body)
    except UnicodeEncodeError:
        raise NotTranslatable("half of a surrogate pair has no counterpart") from None
