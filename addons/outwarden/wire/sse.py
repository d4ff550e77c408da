"""Server-sent events (WHATWG HTML, "Server-sent events", 9.2.6), cut without changing a byte."""

import re

from outwarden.wire.events import Event, Span, too_long
from outwarden.wire.json_tree import BOM

# A line end and an empty line. After a line that ended in LF, a CR may still become CRLF: only the next byte tells.
# After one that ended in CR it is enough: a stream that uses CR alone must not wait for its next event (should LF
# follow all the same, it is an empty line at the start of the next event).
_END = re.compile(rb"\r?\n(?:\r?\n|\r(?=[^\n]))|\r\r")
_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\n|\r|\Z)")
_END_BYTES = 4
# Nearly all events of nearly all providers: read by one pattern. Everything else goes line by line.
_SIMPLE = re.compile(rb"(?:event: ?([\w.:/+=-]*)\r?\n)?data: ?([^\r\n]*)(?:\n\n|\r\n\r\n)")
_NEW_LINE = b"\ndata: "
# What clients read, but not as text: the name of an event, an id, a number. Whatever else stands there is looked at.
_SILENT = (b"event", b"id", b"retry")
_NAME = re.compile(rb"[\w.:/+=-]*")


class SseCodec:
    """Cuts ``text/event-stream`` at its empty lines; LF, CRLF and CR may be mixed."""

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes
        self._buffer = bytearray()
        self._first = True

    def feed(self, data: bytes) -> list[Event]:
        """Return the events completed by ``data``."""
        if not self._buffer and len(data) <= self._max_event_bytes and (simple := _simple_event(data)) is not None:
            self._first = False
            return [simple]
        seen = max(len(self._buffer) - _END_BYTES + 1, 0)
        self._buffer += data
        ends = [end.end() for end in _END.finditer(self._buffer, seen)]
        starts = [0, *ends]
        events = [self._event(bytes(self._buffer[start:end])) for start, end in zip(starts, ends, strict=False)]
        del self._buffer[: starts[-1]]
        if len(self._buffer) > self._max_event_bytes:
            raise too_long(self._max_event_bytes)
        return events

    def flush(self) -> list[Event]:
        """Return the event that no empty line ended, if any."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return [self._event(rest)] if rest else []

    def _event(self, raw: bytes) -> Event:
        if len(raw) > self._max_event_bytes:
            raise too_long(self._max_event_bytes)
        start = len(BOM) if self._first and raw.startswith(BOM) else 0
        self._first = False
        return read_event(raw, start)


def read_event(raw: bytes, at: int = 0) -> Event:
    """Read the fields of one event, from ``at``."""
    if not at and (simple := _simple_event(raw)) is not None:
        return simple
    name: str | None = None
    lines: list[Span] = []
    remarks: list[Span] = []
    for line in _LINE.finditer(raw, at):
        field, colon, value = line[1].partition(b":")
        end = line.end(1)
        if not field and not colon:
            continue
        start = end - len(value) + value.startswith(b" ")
        if field == b"data":
            lines.append((start, end))
        elif field == b"event":
            name = raw[start:end].decode("utf-8", "replace")
        if field in _SILENT and not _NAME.fullmatch(raw, start, end):
            remarks.append((start, end))
        elif field != b"data" and field not in _SILENT:
            remarks.append((line.start(1), end))
    data = b"\n".join([raw[start:end] for start, end in lines]) if lines else None
    return Event(raw, data, name, tuple(lines), tuple(remarks), _NEW_LINE)


def _simple_event(raw: bytes) -> Event | None:
    found = _SIMPLE.fullmatch(raw)
    if found is None:
        return None
    name = None if found[1] is None else found[1].decode("utf-8", "replace")
    return Event(raw, found[2], name, (found.span(2),), (), _NEW_LINE)
