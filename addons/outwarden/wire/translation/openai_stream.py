"""OpenAI's chunks and the pieces of a streamed answer (openai SDK 3.54, ``ChatCompletionChunk``)."""

from collections.abc import Iterator
from typing import Any

from outwarden.wire.formats.errors import encode
from outwarden.wire.formats.values import items, mapping, text
from outwarden.wire.translation.deltas import Argued, Began, Called, Failed, Over, Piece, Said, Stopped, Used
from outwarden.wire.translation.errors import failed, openai_error
from outwarden.wire.translation.neutral import Spent, need, obj, string, whole
from outwarden.wire.translation.openai_reply import REASONS, read_spent, read_stop, write_spent


class Reader:
    """Events in, pieces out. A stream that ends after its finish reason is complete, with ``[DONE]`` or without."""

    def __init__(self) -> None:
        self._began = self._stopped = self._over = self._refused = False
        self._call: int | None = None
        self._call_id = ""

    def read(self, name: str | None, data: Any) -> Iterator[Piece]:
        """Read one event; a literal such as ``[DONE]`` is a str. Raises NotTranslatable."""
        if data == "[DONE]":
            yield from self.finish()
            return
        source = obj(data, "an event")
        if source.get("error") or name == "error":
            yield failed(source)
            return
        choices = items(source.get("choices"))
        need(len(choices) <= 1, "more than one choice in a reply has no counterpart")
        if choices and not self._began:  # Azure's first chunk has no choices, and no id
            self._began = True
            yield Began(text(source.get("id")) or "", text(source.get("model")) or "", Spent())
        for choice in choices:
            yield from self._read_choice(obj(choice, "a choice"))
        if source.get("usage"):
            yield Used(read_spent(source["usage"]))

    def _read_choice(self, choice: dict[str, Any]) -> Iterator[Piece]:
        need(not choice.get("index"), "more than one choice in a reply has no counterpart")
        delta = mapping(choice.get("delta"))
        need(not delta.get("audio") and not delta.get("function_call"), "a part of the reply has no counterpart")
        if said := string(delta.get("content") or "", "'content'"):
            yield Said(said)
        if refused := string(delta.get("refusal") or "", "'refusal'"):
            self._refused = True
            yield Said(refused)
        for call in items(delta.get("tool_calls")):
            yield from self._read_call(obj(call, "a tool call"))
        if (reason := choice.get("finish_reason")) and not self._stopped:
            self._stopped = True
            yield Stopped("refusal" if self._refused else read_stop(reason, calls=self._call is not None))

    def _read_call(self, call: dict[str, Any]) -> Iterator[Piece]:
        index, function = whole(call.get("index"), "a call's 'index'") or 0, mapping(call.get("function"))
        # Gemini's and others' servers number no calls, or all of them 0; another id is another call.
        is_another = bool(call.get("id")) and self._call is not None and call["id"] != self._call_id
        if index != self._call or is_another:
            # The other format says one call after the other; nobody is known to mix them.
            need(
                self._call is None or index > self._call or (index == self._call and is_another),
                "tool calls that are streamed side by side have no counterpart",
            )
            self._call, self._call_id = index, string(call.get("id"), "a call's 'id'")
            yield Called(self._call_id, string(function.get("name"), "a tool's 'name'"))
        if arguments := string(function.get("arguments") or "", "the arguments of a tool call"):
            yield Argued(arguments)

    def finish(self) -> Iterator[Piece]:
        """The stream has ended."""
        if self._stopped and not self._over:
            self._over = True
            yield Over()


class Writer:
    """Pieces in, SSE out. ``tells_usage``: the client asked for the usage."""

    def __init__(self, tells_usage: bool, created: int) -> None:
        self._tells_usage = tells_usage
        self._created = created
        self._id = self._model = ""
        self._calls = -1
        self._spent = Spent()

    def write(self, piece: Piece) -> bytes:
        """Write one piece; empty where it says nothing here."""
        match piece:
            case Began():
                self._id, self._model, self._spent = piece.id, piece.model, piece.spent
                return self._chunk({"role": "assistant", "content": ""})
            case Said():
                return self._chunk({"content": piece.text})
            case Called():
                self._calls += 1
                function = {"name": piece.name, "arguments": ""}
                return self._call({"id": piece.id, "type": "function", "function": function})
            case Argued():
                return self._call({"function": {"arguments": piece.json}})
            case Stopped():
                return self._chunk({}, REASONS[piece.stop])
            case Used():
                self._spent = piece.spent
                return b""
            case Failed():
                return _event({"error": openai_error(piece.kind, piece.message)})
            case Over():
                usage = self._event([], usage=write_spent(self._spent)) if self._tells_usage else b""
                return usage + b"data: [DONE]\n\n"

    def _call(self, said: dict[str, Any]) -> bytes:
        return self._chunk({"tool_calls": [{"index": self._calls} | said]})

    def _chunk(self, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return self._event([choice], **({"usage": None} if self._tells_usage else {}))

    def _event(self, choices: list[Any], **more: Any) -> bytes:
        head = {"id": self._id, "object": "chat.completion.chunk", "created": self._created, "model": self._model}
        return _event(head | {"choices": choices} | more)


def _event(body: object) -> bytes:
    return b"data: " + encode(body) + b"\n\n"
