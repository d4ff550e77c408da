"""A JSON array that arrives element by element (Gemini without ``alt=sse``)."""

import re

from outwarden.wire.events import Event, too_long
from outwarden.wire.ndjson import bare_event

_STRUCTURE = re.compile(rb'["{}\[\],]')
_INSIDE_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
_SEPARATORS = b" \t\r\n,"


class JsonArrayCodec:
    """Gives each element of the outermost array as soon as its last byte is there.

    Separators belong to the event after them, the closing bracket to a last event. Objects that stand in no array
    (errors do) are taken one by one in the same way.
    """

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._buffer = bytearray()
        self._at = 0  # the buffer is read up to here
        self._element = 0  # an element cannot begin before: here the array's own bracket ends
        self._depth = 0
        self._floor: int | None = None  # the depth between elements: 1 in an array, else 0
        self._in_string = False

    def feed(self, data: bytes) -> list[Event]:
        """Return the elements completed by ``data``."""
        self._buffer += data
        events: list[Event] = []
        while (end := self._next_end()) is not None:
            events.append(self._event(end))
        if len(self._buffer) > self._max_event_bytes:
            raise too_long(self._max_event_bytes)
        return events

    def flush(self) -> list[Event]:
        """Return what is left: the closing bracket, or an element cut short."""
        if not self._buffer:
            return []
        closing = bytes(self._buffer[self._element :]).strip(_SEPARATORS) == b"]"
        raw = bytes(self._buffer)
        return [Event(raw)] if closing else [self._event(len(raw))]

    def _event(self, end: int) -> Event:
        if end > self._max_event_bytes:
            raise too_long(self._max_event_bytes)
        event = bare_event(bytes(self._buffer[:end]), self._element, _SEPARATORS)
        del self._buffer[:end]
        self._at = self._element = 0
        return event

    def _next_end(self) -> int | None:
        """Read on; return where the next element ends, None where that is not known yet."""
        while True:
            if self._in_string and not self._leave_string():
                return None
            found = _STRUCTURE.search(self._buffer, self._at)
            if found is None:
                self._at = len(self._buffer)
                return None
            character, start, self._at = found[0], found.start(), found.end()
            del found  # a match keeps the buffer from being resized
            if character in b",]" and self._depth == self._floor and self._has_scalar(start):
                self._at = start
                return start
            if self._step(character):
                return self._at

    def _step(self, character: bytes) -> bool:
        """Follow one structural character; tell whether it ends an element."""
        if character == b'"':
            self._in_string = True
        elif character in b"{[":
            if self._floor is None:
                self._floor = int(character == b"[")
                self._element = self._at if self._floor else 0
            self._depth += 1
        elif character in b"}]":
            self._depth = max(self._depth - 1, 0)
            return self._depth == self._floor
        return False

    def _leave_string(self) -> bool:
        inside = _INSIDE_STRING.match(self._buffer, self._at)
        self._at = inside.end() if inside else self._at
        del inside
        if self._buffer[self._at : self._at + 1] != b'"':
            return False
        self._at += 1
        self._in_string = False
        return True

    def _has_scalar(self, end: int) -> bool:
        return bool(self._buffer[self._element : end].strip(_SEPARATORS))
