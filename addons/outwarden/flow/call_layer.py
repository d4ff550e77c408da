"""mitmproxy's HTTP layer with streams of our own; what they do is `call_stream`'s."""

import logging
from weakref import WeakSet

from mitmproxy.connection import Connection, Server
from mitmproxy.proxy import commands, events, layer, tunnel
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers import tls
from mitmproxy.proxy.layers.http import GetHttpConnection, GetHttpConnectionCompleted, HttpLayer, HTTPMode

from outwarden.flow.call_stream import CallStream
from outwarden.flow.dial import Dial, note_target
from outwarden.flow.guard import where
from outwarden.flow.http1 import StrictHttp1Server, UpstreamClient
from outwarden.flow.http2 import AttentiveHttp2Server
from outwarden.flow.upload import Commands, Tick
from outwarden.flow.waits import Ticks

# What a client speaks that agreed on nothing, or on HTTP/1.
HTTP1 = (None, b"", b"http/1.1", b"http/1.0")

logger = logging.getLogger(__name__)


class CallLayer(HttpLayer):
    """`HttpLayer` whose streams are `CallStream`s."""

    def __init__(self, context: Context, mode: HTTPMode) -> None:
        super().__init__(context, mode)
        self.ticks = Ticks()
        self._slow: WeakSet[Connection] = WeakSet()  # connections that somebody has given up waiting for

    def _handle_event(self, event: events.Event) -> Commands:
        client = self.context.client
        if isinstance(event, events.Start) and (client.alpn in HTTP1 or client.alpn == b"h2"):
            server = AttentiveHttp2Server if client.alpn == b"h2" else StrictHttp1Server
            self.connections.setdefault(client, server(self.context.fork()))
        try:
            tick = event.command if isinstance(event, events.Wakeup) else None
            if isinstance(event, events.Wakeup) and isinstance(tick, Tick) and tick.ticks is self.ticks:
                yield from self._tick(event, tick)
            else:
                yield from super()._handle_event(event)
        except Exception as error:  # in mitmproxy's own layers (trailers, say), and the client would wait for ever
            logger.error("HTTP layer failed: %s", where(error))
            yield commands.CloseConnection(self.context.client)

    def _tick(self, event: events.Wakeup, tick: Tick) -> Commands:
        """A tick of our own; those of the layer inside a CONNECT come by here, too, and go on to it."""
        self.command_sources.pop(tick, None)
        if self.ticks.came(tick.at):
            for id_, stream in list(self.streams.items()):
                if id_ > 0 and isinstance(stream, CallStream) and stream.is_waiting:  # below 0 are their attempts
                    yield from self.event_to_child(stream, event)

    def make_stream(self, stream_id: int) -> Commands:
        """Open a stream for a new request."""
        stream = self.streams[stream_id] = CallStream(self.context.fork(), stream_id, self)
        yield from self.event_to_child(stream, events.Start())

    def get_connection(self, event: GetHttpConnection, *, reuse: bool = True) -> Commands:
        """Find or open a connection; one for a call of ours gets its target's name, and our way to read HTTP/1."""
        if not isinstance(event, Dial):
            yield from super().get_connection(event, reuse=reuse)
            return
        known = self._known(event) if reuse else None
        if known and known in self.waiting_for_establishment:
            self.waiting_for_establishment[known].append(event)
        elif known:
            stream = self.command_sources.pop(event)
            yield from self.event_to_child(stream, GetHttpConnectionCompleted(event, (known, None)))
        else:
            yield from self._open(event)

    def give_up(self, dial: Dial) -> Commands:
        """Nobody waits for this connection any more: one that is not open in time is no way for the next attempt.

        mitmproxy would go on opening it for as long as its client stays, and let everybody wait for it.
        """
        self.command_sources.pop(dial, None)
        for connection, dials in self.waiting_for_establishment.items():
            if dial in dials:
                dials.remove(dial)
                self._slow.add(connection)
                if not dials:
                    yield commands.CloseConnection(connection)
                return

    def _known(self, dial: Dial) -> Server | None:
        """A connection that may serve this call, open or about to be."""
        for connection in filter(dial.connection_spec_matches, self.connections):
            if connection in self._slow and connection in self.waiting_for_establishment:
                continue
            # As in mitmproxy: HTTP/1 upstreams serve one stream of an HTTP/2 client each.
            shared = self.context.client.alpn != b"h2" or connection.alpn == b"h2"
            if connection in self.waiting_for_establishment or (connection.connected and shared):
                assert isinstance(connection, Server)
                return connection
        return None

    def _open(self, dial: Dial) -> Commands:
        context = self.context.fork()
        server = context.server = Server(address=dial.address, transport_protocol="tcp")
        note_target(server, dial.target)
        stack = tunnel.LayerStack()
        if dial.tls:
            stack /= tls.ServerTLSLayer(context)
        stack /= UpstreamClient(context)
        self.connections[server] = stack[0]
        self.waiting_for_establishment[server].append(dial)
        yield from self.event_to_child(stack[0], events.Start())


class Closed(layer.Layer):
    """Ends the client's connection: for one that could not be set up safely."""

    def _handle_event(self, event: events.Event) -> Commands:
        if isinstance(event, events.Start):
            yield commands.CloseConnection(self.context.client)
