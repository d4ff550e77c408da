"""mitmproxy's HTTP layer with streams of our own; what they do is `call_stream`'s."""

import logging

from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import GetHttpConnection, HttpLayer

from outwarden.flow.call_stream import CallStream, Commands
from outwarden.flow.dial import Dial, note_target
from outwarden.flow.guard import where

logger = logging.getLogger(__name__)


class CallLayer(HttpLayer):
    """`HttpLayer` whose streams are `CallStream`s."""

    def _handle_event(self, event: events.Event) -> Commands:
        try:
            yield from super()._handle_event(event)
        except Exception as error:  # in mitmproxy's own layers (trailers, say), and the client would wait for ever
            logger.error("HTTP layer failed: %s", where(error))
            yield commands.CloseConnection(self.context.client)

    def make_stream(self, stream_id: int) -> Commands:
        """Open a stream for a new request."""
        stream = self.streams[stream_id] = CallStream(self.context.fork(), stream_id, self)
        yield from self.event_to_child(stream, events.Start())

    def get_connection(self, event: GetHttpConnection, *, reuse: bool = True) -> Commands:
        """Give the new connection its target's name before it is opened."""
        if not isinstance(event, Dial):
            yield from super().get_connection(event, reuse=reuse)
            return
        known = set(self.connections)
        for command in super().get_connection(event, reuse=reuse):
            if isinstance(command, commands.OpenConnection) and command.connection not in known:
                note_target(command.connection, event.target)
            yield command


class Closed(layer.Layer):
    """Ends the client's connection: for one that could not be set up safely."""

    def _handle_event(self, event: events.Event) -> Commands:
        if isinstance(event, events.Start):
            yield commands.CloseConnection(self.context.client)
