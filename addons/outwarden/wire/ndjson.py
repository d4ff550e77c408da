"""Newline-delimited JSON (Ollama, Cohere v1; files of batches): one document a line."""

import re

from outwarden.wire.events import Event, too_long
from outwarden.wire.json_tree import BOM

_SPACE = b" \t\r\n"
_BLANK_LINE = re.compile(rb"\n[ \t]*\n")
_LINE_ENDS = re.compile(rb"\n([ \t\n]*)")


class NdjsonCodec:
    """Cuts at LF; a CR before it, spaces around a document and empty lines stay as they are."""

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Event]:
        """Return the lines completed by ``data``."""
        self._buffer += data
        events: list[Event] = []
        if b"\n" in data:
            end = self._buffer.rindex(b"\n") + 1
            events = [self._event(line + b"\n") for line in bytes(self._buffer[: end - 1]).split(b"\n")]
            del self._buffer[:end]
        if len(self._buffer) > self._max_event_bytes:
            raise too_long(self._max_event_bytes)
        return events

    def flush(self) -> list[Event]:
        """Return the last line, where no line end closed it."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return [self._event(rest)] if rest else []

    def _event(self, raw: bytes) -> Event:
        if len(raw) > self._max_event_bytes:
            raise too_long(self._max_event_bytes)
        return bare_event(raw)


def bare_event(raw: bytes, at: int = 0, separators: bytes = _SPACE) -> Event:
    """Make an event whose data is ``raw`` from ``at`` on, without the separators around it."""
    start = len(raw) - len(raw[at:].lstrip(separators))
    data = raw[at:].strip(separators)
    return Event(raw, data, None, ((start, start + len(data)),)) if data else Event(raw)


def as_array(lines: bytes) -> bytes:
    """Lines of JSON as one array, which is read and searched at once: byte ``i`` of them stands at ``i + 1``.

    Line ends become commas and spaces. What was no line of JSON makes no array; nor is an array told from a line that
    lacks its end, so each line must have been read (`flow.body.is_lines`).
    """
    start = len(BOM) if lines.startswith(BOM) else 0
    first, last = len(lines) - len(lines[start:].lstrip(_SPACE)), len(lines.rstrip(_SPACE))
    said = lines[first:last].replace(b"\r\n", b" \n").replace(b"\r", b"\n")
    said = _LINE_ENDS.sub(rb",\1", said) if _BLANK_LINE.search(said) else said.replace(b"\n", b",")
    return b"[" + b" " * first + said + b" " * (len(lines) - last) + b"]"
