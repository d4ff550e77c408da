"""Gemini's streamed chunks, each a small ``GenerateContentResponse``, and the pieces of a streamed answer."""

from collections.abc import Iterator
from typing import Any

from outwarden.wire.formats.errors import encode
from outwarden.wire.translation.deltas import Argued, Began, Called, Failed, Over, Piece, Said, Stopped, Used
from outwarden.wire.translation.errors import failed, google_error
from outwarden.wire.translation.gemini_contents import write_models
from outwarden.wire.translation.gemini_reply import (
    REASONS,
    Ids,
    field,
    is_blocked,
    read_candidate,
    read_parts,
    read_spent,
    read_stop,
    write_chunk,
)
from outwarden.wire.translation.neutral import Asked, Part, Spent, Text, ToolCall, arguments_of, need, obj

ARGUMENTS_MAX = 8 * 2**20  # characters of one call: as much as the longest event


class Reader:
    """Chunks in, pieces out. A stream that ends after its finish reason is complete; nothing else says so."""

    def __init__(self) -> None:
        self._ids: Ids | None = None
        self._called = self._stopped = self._over = False

    def read(self, name: str | None, data: Any) -> Iterator[Piece]:
        """Read one chunk. Raises NotTranslatable."""
        if data == "[DONE]":
            return
        if isinstance(data, list) or obj(data, "an event").get("error"):
            yield failed(data)
            return
        if self._ids is None:
            id = field(data, "responseId", "response_id") or ""
            self._ids = Ids(id)
            yield Began(id, field(data, "modelVersion", "model_version") or "", read_spent(data))
        candidate = read_candidate(data)
        for part in read_parts(candidate, self._ids):
            yield from self._read_part(part)
        reason = candidate.get("finishReason")
        if (reason or is_blocked(data)) and not self._stopped:
            self._stopped = True
            yield Stopped(read_stop(reason, called=self._called) if reason else "refusal")
        if (spent := read_spent(data)) != Spent():
            yield Used(spent)

    def _read_part(self, part: Part) -> Iterator[Piece]:
        need(not self._stopped, "a part of the reply comes behind its end")
        if isinstance(part, ToolCall):
            self._called = True
            yield Called(part.id, part.name)
            yield Argued(encode(part.arguments).decode())
        elif isinstance(part, Text):
            yield Said(part.text)

    def finish(self) -> Iterator[Piece]:
        """The stream has ended."""
        if self._stopped and not self._over:
            self._over = True
            yield Over()


class Writer:
    """Pieces in, chunks out: as SSE, or as elements of one JSON array. Calls are written whole, as Gemini does."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._array = asked.framing == "json-array"
        self._wrote = False
        self._id = self._model = ""
        self._spent = Spent()
        self._call: Called | None = None
        self._arguments: list[str] = []
        self._size = self._calls = 0
        self._stopped: Stopped | None = None

    def write(self, piece: Piece) -> bytes:
        """Write one piece; empty where it has to wait."""
        match piece:
            case Began():
                self._id, self._model, self._spent = piece.id, piece.model, piece.spent
                return b""
            case Said():
                return self._end_call() + self._chunk((Text(piece.text),))
            case Called():
                ended = self._end_call()
                self._call = piece
                return ended
            case Argued():
                need(self._call is not None, "arguments came outside of a tool call")
                self._size += len(piece.json)
                need(self._size <= ARGUMENTS_MAX, "the arguments of a tool call are too long")
                self._arguments.append(piece.json)
                return b""
            case Stopped():
                self._stopped = piece
                return self._end_call()
            case Used():
                self._spent = piece.spent
                return b""
            case Failed():
                return self._event(google_error(piece.kind, piece.message)) + self._end()
            case Over():
                assert self._stopped
                last = write_chunk(self._id, self._model, [{"text": ""}], REASONS[self._stopped.stop], self._spent)
                return self._event(last) + self._end()

    def _end_call(self) -> bytes:
        """Write the call that is over now."""
        if self._call is None:
            return b""
        call = ToolCall(self._call.id, self._call.name, arguments_of("".join(self._arguments)))
        self._call = None
        self._arguments.clear()
        self._size = 0
        self._calls += 1
        return self._chunk((call,))

    def _chunk(self, parts: tuple[Part, ...]) -> bytes:
        written = write_models(parts, self._asked.model)
        if self._calls > 1:
            written[0].pop("thoughtSignature", None)  # the first call alone is signed
        return self._event(write_chunk(self._id, self._model, written))

    def _event(self, body: object) -> bytes:
        before, after = (b",\n" if self._wrote else b"[", b"") if self._array else (b"data: ", b"\n\n")
        self._wrote = True
        return before + encode(body) + after

    def _end(self) -> bytes:
        return b"\n]" if self._array else b""
