"""Anthropic's stream events and the pieces of a streamed answer (anthropic SDK 2.12, ``RawMessageStreamEvent``)."""

from collections.abc import Iterator
from typing import Any

from outwarden.wire.formats.errors import encode, framed
from outwarden.wire.formats.values import mapping, text
from outwarden.wire.translation.anthropic_reply import REASONS, THOUGHTS, read_spent, read_stop, write_head, write_spent
from outwarden.wire.translation.deltas import Argued, Began, Called, Failed, Over, Piece, Said, Stopped, Used
from outwarden.wire.translation.errors import anthropic_error, failed
from outwarden.wire.translation.neutral import Spent, need, obj, string

# What a thinking block says; it is left behind with the block.
_THOUGHTS = ("thinking_delta", "signature_delta")


class Reader:
    """Events in, pieces out."""

    def __init__(self) -> None:
        self._spent = Spent()
        self._input: dict[str, Any] = {}
        self._called = self._argued = False  # a call is under way; its arguments have begun

    def read(self, name: str | None, data: Any) -> Iterator[Piece]:
        """Read one event. Raises NotTranslatable."""
        source = obj(data, "an event")
        match source.get("type") or name:
            case "message_start":
                message = mapping(source.get("message"))
                self._input = mapping(message.get("usage"))
                self._spent = read_spent(self._input)
                yield Began(text(message.get("id")) or "", text(message.get("model")) or "", self._spent)
            case "content_block_start":
                yield from self._read_start(mapping(source.get("content_block")))
            case "content_block_delta":
                yield from self._read_delta(mapping(source.get("delta")))
            case "content_block_stop":
                if self._called and not self._argued:  # Claude streams nothing of a call without arguments
                    yield Argued("{}")
                self._called = False
            case "message_delta":
                yield from self._read_end(source)
            case "message_stop":
                yield Over()
            case "error":
                yield failed(source)

    def _read_start(self, block: dict[str, Any]) -> Iterator[Piece]:
        kind = block.get("type")
        need(kind in ("text", "tool_use", *THOUGHTS), "a block of the reply has no counterpart")
        need(not block.get("citations"), "citations have no counterpart")
        if kind == "text" and (said := text(block.get("text"))):
            yield Said(said)
        if kind == "tool_use":
            arguments = obj(block.get("input") or {}, "the arguments of a tool call")
            self._called, self._argued = True, bool(arguments)
            yield Called(string(block.get("id"), "a call's 'id'"), string(block.get("name"), "a tool's 'name'"))
            if arguments:  # other servers send them whole
                yield Argued(encode(arguments).decode())

    def _read_delta(self, delta: dict[str, Any]) -> Iterator[Piece]:
        kind = delta.get("type")
        if kind == "text_delta":
            if said := string(delta.get("text"), "a text"):
                yield Said(said)
        elif kind == "input_json_delta":
            if said := string(delta.get("partial_json"), "'partial_json'"):
                self._argued = True
                yield Argued(said)
        else:
            need(kind in _THOUGHTS, "a part of the reply has no counterpart")

    def _read_end(self, source: dict[str, Any]) -> Iterator[Piece]:
        """Its usage is cumulative, and tells what message_start told only where that changed."""
        delta = mapping(source.get("delta"))
        if isinstance(usage := source.get("usage"), dict):
            self._spent = read_spent(self._input | {name: value for name, value in usage.items() if value is not None})
            yield Used(self._spent)
        if delta.get("stop_reason"):
            sequence = delta.get("stop_sequence")
            yield Stopped(read_stop(delta["stop_reason"]), sequence if isinstance(sequence, str) else None)

    def finish(self) -> Iterator[Piece]:
        """The stream has ended; what ``message_stop`` did not end was cut."""
        yield from ()


class Writer:
    """Pieces in, SSE out. What ends the message waits for the usage, which other formats tell last."""

    def __init__(self) -> None:
        self._block: str | None = None
        self._index = -1
        self._spent = Spent()
        self._stopped: Stopped | None = None

    def write(self, piece: Piece) -> bytes:
        """Write one piece; empty where it has to wait."""
        match piece:
            case Began():
                self._spent = piece.spent
                return _event("message_start", message=write_head(piece.id, piece.model, piece.spent))
            case Said():
                opened = b"" if self._block == "text" else self._open("text", {"type": "text", "text": ""})
                return opened + self._delta({"type": "text_delta", "text": piece.text})
            case Called():
                block = {"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}}
                return self._open("tool_use", block)
            case Argued():
                need(self._block == "tool_use", "arguments came outside of a tool call")
                return self._delta({"type": "input_json_delta", "partial_json": piece.json})
            case Stopped():
                self._stopped = piece
                return self._close()
            case Used():
                self._spent = piece.spent
                return b""
            case Failed():
                return framed("sse", anthropic_error(piece.kind, piece.message), "error")
            case Over():
                return self._end()

    def _open(self, kind: str, block: dict[str, Any]) -> bytes:
        closed = self._close()
        self._block, self._index = kind, self._index + 1
        return closed + _event("content_block_start", index=self._index, content_block=block)

    def _close(self) -> bytes:
        if self._block is None:
            return b""
        self._block = None
        return _event("content_block_stop", index=self._index)

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _event("content_block_delta", index=self._index, delta=delta)

    def _end(self) -> bytes:
        assert self._stopped
        delta = {"stop_reason": REASONS[self._stopped.stop], "stop_sequence": self._stopped.stop_sequence}
        return _event("message_delta", delta=delta, usage=write_spent(self._spent)) + _event("message_stop")


def _event(kind: str, **said: Any) -> bytes:
    return framed("sse", {"type": kind} | said, kind)
