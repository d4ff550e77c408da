"""Messages of a connection that cuts itself (WebSocket): each is one document, or one text."""

from outwarden.wire.events import Event, too_long
from outwarden.wire.ndjson import bare_event


class MessageCodec:
    """Takes one message at a time, as the transport joined it."""

    def __init__(self, max_event_bytes: int) -> None:
        self._max_event_bytes = max_event_bytes

    def feed(self, data: bytes) -> list[Event]:
        """Return the message as an event."""
        if len(data) > self._max_event_bytes:
            raise too_long(self._max_event_bytes)
        return [bare_event(data)]

    def flush(self) -> list[Event]:
        """Nothing is ever left."""
        return []
