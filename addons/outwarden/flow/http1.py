"""HTTP/1 on the wire, read more strictly from clients and more leniently from upstreams than mitmproxy does.

From a client: a head that two readers could read in two ways (a bare LF or CR) is refused, and neither a head nor what
a client sends ahead grows without bound. From an upstream: informational answers are passed over, so that the answer
follows. On both sides trailers, which mitmproxy's HTTP/1 fails on, are dropped: nobody has scanned them.
"""

import re

import h11
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.net.http import http1
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers.http import HttpClient, RegisterHttpConnection
from mitmproxy.proxy.layers.http._base import HttpEvent, ReceiveHttp
from mitmproxy.proxy.layers.http._events import (
    ErrorCode,
    RequestData,
    RequestHeaders,
    ResponseData,
    ResponseHeaders,
    ResponseProtocolError,
)
from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Connection, Http1Server, make_body_reader
from mitmproxy.proxy.layers.http._http2 import Http2Client

from outwarden.flow.framing import header_of
from outwarden.flow.guard import last_words

Commands = layer.CommandGenerator[None]

# The longest head: that of HTTP/2 here, too. Real ones are a few KiB.
MAX_HEAD_BYTES = 64 * 1024
# What a client may send ahead of the answer that it waits for: room for a small call, and a bound on memory.
MAX_AHEAD_BYTES = 1 << 20
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_HEAD = re.compile(rb"(?s).*?\n\r?\n")
# 101 is no informational answer to pass over: it ends HTTP on this connection.
_INFORMATIONAL = re.compile(rb"HTTP/1\.[01] 1(?!01)[0-9]{2}[ \r\n]")


def taken(sending: Commands) -> layer.CommandGenerator[bytes]:
    """Pass on all that is to be done but for the sending; return what was to be sent."""
    data = b""
    for command in sending:
        if isinstance(command, commands.SendData):
            data += command.data
        else:
            yield command
    return data


class WithoutTrailers:
    """A reader of chunks that keeps their trailers to itself."""

    def __init__(self, reader: ChunkedReader) -> None:
        self._reader = reader
        self.read_eof = reader.read_eof

    def __call__(self, buffer: ReceiveBuffer) -> h11.Event | None:
        event = self._reader(buffer)
        return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


def read_chunks_only(connection: Http1Connection) -> None:
    """Let the connection's reader of chunks drop trailers."""
    if isinstance(connection.body_reader, ChunkedReader):
        connection.body_reader = WithoutTrailers(connection.body_reader)  # type: ignore[assignment]  # reads as one


class ResponseBegins(ResponseHeaders):
    """A head that the first of its data follows at once: they are sent together, for a packet and a record of TLS."""


class RequestBegins(RequestHeaders):
    """As `ResponseBegins`, for a request."""


class StrictHttp1Server(Http1Server):
    """The client's side."""

    _sends_chunks = False
    _head = b""  # that waits for the data behind it

    def send(self, event: HttpEvent) -> Commands:
        """As mitmproxy does; but how a body is framed is looked up once, and not for each of a stream's events."""
        if isinstance(event, ResponseData) and event.data and event.stream_id == self.stream_id:
            return self._send_piece(event.data)
        if isinstance(event, ResponseHeaders):
            self._sends_chunks = "chunked" in header_of(event.response, b"transfer-encoding").lower()
            if isinstance(event, ResponseBegins):
                return self._keep(super().send(event))
        return super().send(event)

    def _keep(self, sending: Commands) -> Commands:
        self._head = yield from taken(sending)

    def _send_piece(self, data: bytes) -> Commands:
        framed = b"%x\r\n%s\r\n" % (len(data), data) if self._sends_chunks else data
        head, self._head = self._head, b""
        yield commands.SendData(self.conn, head + framed)

    def _handle_event(self, event: events.Event) -> Commands:
        if isinstance(event, HttpEvent):
            return self.send(event)
        return self._take(event)

    def _take(self, event: events.Event) -> Commands:
        yield from super()._handle_event(event)
        if not isinstance(event, events.DataReceived):
            return
        if self.state == self.read_headers and len(self.buf) > MAX_HEAD_BYTES:
            yield from self._refuse(431)
        elif len(self.buf) > MAX_AHEAD_BYTES and self.state != self.passthrough:
            self.buf = ReceiveBuffer()
            yield commands.CloseConnection(self.conn)

    def read_headers(self, event: events.ConnectionEvent) -> Commands:
        """Read a head as mitmproxy does; what is malformed is refused in our words, which do not quote it."""
        if not isinstance(event, events.DataReceived):
            yield from super().read_headers(event)
            return
        head = _HEAD.match(bytes(self.buf))
        lines = self.buf.maybe_extract_lines()
        if not lines:
            return
        try:
            if head is None or _BARE.search(head[0]):
                raise ValueError("bare CR or LF")
            self.request = http1.read_request_head([bytes(line) for line in lines])
            body_bytes = http1.expected_http_body_size(self.request)
        except ValueError:
            yield from self._refuse(400)
            return
        yield ReceiveHttp(RequestHeaders(self.stream_id, self.request, body_bytes == 0))
        self.body_reader = make_body_reader(body_bytes)
        self.state = self.read_body
        yield from self.state(event)

    def read_body(self, event: events.Event) -> Commands:
        """Read the body without its trailers."""
        read_chunks_only(self)
        return super().read_body(event)

    def _refuse(self, status: int) -> Commands:
        """Answer a head that nobody can take, and end the connection."""
        self.buf = ReceiveBuffer()
        self.state = self.done
        answer = last_words(status)
        answer.headers["connection"] = "close"
        yield commands.SendData(self.conn, http1.assemble_response(answer))
        yield commands.CloseConnection(self.conn)


class UpstreamHttp1(Http1Client):
    """The upstream's side."""

    _head = b""  # that waits for the data behind it

    def send(self, event: HttpEvent) -> Commands:
        """As mitmproxy does; but a head and what follows it at once leave together."""
        if isinstance(event, RequestBegins):
            self._head = yield from taken(super().send(event))
        elif self._head and isinstance(event, RequestData):
            data = yield from taken(super().send(event))
            head, self._head = self._head, b""
            yield commands.SendData(self.conn, head + data)
        else:
            yield from super().send(event)

    def _handle_event(self, event: events.Event) -> Commands:
        if isinstance(event, HttpEvent):
            return self.send(event)
        return self._take(event)

    def _take(self, event: events.Event) -> Commands:
        yield from super()._handle_event(event)
        if not isinstance(event, events.DataReceived) or len(self.buf) <= MAX_HEAD_BYTES:
            return
        if self.state != self.passthrough:
            self.buf = ReceiveBuffer()
            yield commands.CloseConnection(self.conn)
            if self.stream_id is not None:
                error = ResponseProtocolError(self.stream_id, "head too long", ErrorCode.GENERIC_SERVER_ERROR)
                yield ReceiveHttp(error)

    def read_headers(self, event: events.ConnectionEvent) -> Commands:
        """Pass over informational answers (103 Early Hints, a 100 that nobody asked for): the answer follows."""
        if isinstance(event, events.DataReceived) and self.request:
            while _INFORMATIONAL.match(bytes(self.buf)) and self.buf.maybe_extract_lines():
                pass
        yield from super().read_headers(event)

    def read_body(self, event: events.Event) -> Commands:
        """Read the body without its trailers."""
        read_chunks_only(self)
        return super().read_body(event)


class UpstreamClient(HttpClient):
    """mitmproxy's choice of a protocol for a connection to an upstream, with our HTTP/1."""

    def _handle_event(self, event: events.Event) -> Commands:
        error = yield commands.OpenConnection(self.context.server)
        if not error:
            protocol = Http2Client if self.context.server.alpn == b"h2" else UpstreamHttp1
            self.child_layer = protocol(self.context)
            self._handle_event = self.child_layer.handle_event  # type: ignore[method-assign]
            yield from self._handle_event(event)
        yield RegisterHttpConnection(self.context.server, error)
