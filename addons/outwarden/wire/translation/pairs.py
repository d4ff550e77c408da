"""Which formats are translated into which, and the four things that a translation does."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from outwarden.errors import BodyError, NotTranslatable
from outwarden.wire.format import Framing
from outwarden.wire.formats.errors import encode
from outwarden.wire.json_array import JsonArrayCodec
from outwarden.wire.json_tree import read_json
from outwarden.wire.sse import SseCodec
from outwarden.wire.translation import errors
from outwarden.wire.translation.deltas import Failed, Over, Piece, Stopped
from outwarden.wire.translation.neutral import Asked, load, need
from outwarden.wire.translation.strict import fit_schemas
from outwarden.wire.translation.tongue import TONGUES, Reader, Tongue, Writer

MAX_EVENT_BYTES = 8 * 2**20  # as StreamRewriter, which has cut the stream before


def translated_pairs() -> frozenset[tuple[str, str]]:
    """(caller's format, upstream's format) of all that is translated."""
    return frozenset((caller, upstream) for caller in TONGUES for upstream in TONGUES if caller != upstream)


def is_translated(caller: str, upstream: str, operation: str) -> bool:
    """Whether calls for this operation of the format ``caller`` may go to an upstream of the other format at all."""
    return _translates(caller, upstream) and TONGUES[caller].operation == operation


def callers_of(formats: Collection[str]) -> frozenset[str]:
    """The formats whose calls may go to upstreams of all these, as they are or translated."""
    known = {*formats, *TONGUES}
    return frozenset(own for own in known if all(own == other or _translates(own, other) for other in formats))


def _translates(caller: str, upstream: str) -> bool:
    return (caller, upstream) in translated_pairs()


class StreamTranslation:
    """Events of the upstream's format in, those of the caller's out, however they are cut."""

    def __init__(self, reader: Reader, writer: Writer, framing: Framing = "sse") -> None:
        codec = JsonArrayCodec if framing == "json-array" else SseCodec
        self._codec = codec(MAX_EVENT_BYTES)
        self._reader = reader
        self._writer = writer
        self._over = self._stopped = False
        self.wrote = False  # whether the caller has seen anything

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
            self._stopped = self._stopped or isinstance(piece, Stopped)
            need(self._stopped or not isinstance(piece, Over), "the stream ends, and does not say why")
            try:
                out += self._writer.write(piece)
            except UnicodeEncodeError:
                raise NotTranslatable("half of a surrogate pair has no counterpart") from None
        self.wrote = self.wrote or bool(out)
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
    """One call between two formats: ``target`` (path and query) and ``body`` of its request in the upstream's."""

    upstream: Tongue
    caller: Tongue
    target: str
    body: bytes
    asked: Asked

    @property
    def content_type(self) -> str:
        """What a stream is to the caller."""
        return "text/event-stream" if self.asked.framing == "sse" else "application/json"

    def reply(self, body: bytes) -> bytes:
        """A whole answer for the caller. Raises NotTranslatable."""
        return _spelled(self.caller.write_reply(self.upstream.read_reply(load(body, "the reply")), self.asked))

    def error(self, body: bytes, status: int) -> bytes:
        """An error answer of this HTTP status for the caller; never raises."""
        try:
            tree = read_json(body)
        except BodyError:
            tree = None  # a page of a proxy in between, which no client could read as an error of its provider's
        try:
            return encode(self.caller.error(errors.failed(tree), status))
        except UnicodeEncodeError:  # half of a surrogate pair, which no client could read either
            return encode(self.caller.error(errors.failed(None), status))

    def stream(self, *, asked_for_usage: bool) -> StreamTranslation:
        """A streamed answer for the caller; ``asked_for_usage``: that was we, and not the caller."""
        asked = replace(self.asked, tells_usage=self.asked.tells_usage and not asked_for_usage)
        return StreamTranslation(self.upstream.reader(), self.caller.writer(asked))


def translation(
    caller: str, upstream: str, operation: str, target: str, body: bytes, model: str | None, provider: str = ""
) -> Translation:
    """Translate a request for ``operation`` of the format ``caller``, sent to ``target``. Raises NotTranslatable.

    ``model``: what the upstream is asked for; None: what the request names. ``provider``: whose it is, where that is
    known to refuse what the format allows.
    """
    own, other = TONGUES.get(caller), TONGUES.get(upstream)
    if own is None or other is None or own is other or own.operation != operation:
        raise NotTranslatable(f"{operation or 'this operation'} of {caller} is not translated to {upstream}")
    conversation = own.read_request(load(body, "the request"), target)
    asked = Asked(conversation.model, conversation.tells_usage, own.framing(target))
    if model is not None:
        conversation = replace(conversation, model=model)
    conversation = fit_schemas(conversation, provider)
    return Translation(other, own, other.target(conversation), _spelled(other.write_request(conversation)), asked)


def _spelled(body: dict[str, Any]) -> bytes:
    try:
        return encode(body)
    except UnicodeEncodeError:
        raise NotTranslatable("half of a surrogate pair has no counterpart") from None
