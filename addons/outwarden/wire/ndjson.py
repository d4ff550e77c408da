"""Newline-delimited JSON (Ollama, Cohere v1): one document a line."""

from outwarden.wire.events import Event, too_long

_SPACE = b" \t\r\n"


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
