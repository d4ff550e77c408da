"""HTTP/2 from a client, of whose calls none goes on unnoticed after the client has reset it.

h2 reads all of what has come before mitmproxy's layer sees the first event of it. Where a request's end and its reset
come together (this process was busy, or the client is quick), mitmproxy finds a stream that is closed at the request's
end, forgets it, and does not know whose the reset is.
"""

import h2.events
from mitmproxy.proxy import events, layer
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http._http2 import Http2Server, StreamState

Commands = layer.CommandGenerator[None]


class AttentiveHttp2Server(Http2Server):
    """The client's side."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._read: set[int] = set()  # streams that were forgotten at the end of their request, of what has just come

    def _handle_event(self, event: events.Event) -> Commands:
        yield from super()._handle_event(event)
        self._read.clear()

    def handle_h2_event(self, event: h2.events.Event) -> layer.CommandGenerator[bool]:
        """As mitmproxy does; a stream is known until its reset."""
        if isinstance(event, h2.events.StreamReset) and event.stream_id in self._read:
            self.streams[event.stream_id] = StreamState.HEADERS_RECEIVED
        ended = event.stream_id if isinstance(event, h2.events.StreamEnded) else None
        is_known = ended in self.streams
        is_over = yield from super().handle_h2_event(event)
        if ended is not None and is_known and ended not in self.streams:
            self._read.add(ended)
        return is_over
