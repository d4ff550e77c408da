"""A client, our HTTP layer and upstreams without a network: events go in, commands come out, a test reads as a play.

mitmproxy tests its layers so (`test/mitmproxy/proxy/tutils.py`), but does not ship it. Everything happens at once and
in order, and time passes only when the test says so.
"""

from __future__ import annotations

import asyncio
import inspect
import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import h2.config
import h2.connection
import h2.events
from mitmproxy import http, options
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.connection import Client, Connection, ConnectionState, Server
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layers.http import HTTPMode
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from outwarden.flow import delivery, ending, trip, waits
from outwarden.flow.call_layer import CallLayer

OPENAI = "api.openai.com"


def finished(result: Any) -> None:
    """Wait for a hook that is asynchronous, whether or not the test is."""
    if inspect.iscoroutine(result):
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, result).result()


class Clock:
    """Time that stands still until it is told to pass."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.time = time.time
        self.perf_counter = time.perf_counter

    def monotonic(self) -> float:
        """The seconds so far."""
        return self.now


class Upstream:
    """One connection that the layer opened, seen from its far end."""

    def __init__(self, play: Playbook, connection: Server) -> None:
        self.connection = connection
        self.got = b""
        self.closed = False
        self._play = play

    @property
    def address(self) -> tuple[str, int]:
        """Where the connection goes."""
        assert self.connection.address
        return self.connection.address

    def says(self, data: bytes) -> None:
        """Send bytes to the proxy."""
        self._play.feed(events.DataReceived(self.connection, data))

    def streams(self, *pieces: bytes, head: bytes | None = None) -> None:
        """Begin an event stream with these chunks, one event of the proxy's loop each."""
        self.says(head or response_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}))
        for piece in pieces:
            self.chunk(piece)

    def chunk(self, data: bytes) -> None:
        """Send one chunk of a chunked body; an empty one ends it."""
        self.says(b"%x\r\n%s\r\n" % (len(data), data))

    def breaks(self) -> None:
        """Lose the connection."""
        self.connection.state = ConnectionState.CLOSED
        self._play.feed(events.ConnectionClosed(self.connection))


class Playbook:
    """One client connection through `CallLayer`; the addons answer the hooks.

    ``connects``: what becomes of a connection to an address: None (it is opened), an error's text, or ``"silence"``.
    ``before``: called with the hook's name and its argument before the addons are. ``skipped``: hooks that the addons
    are not asked, as when an addon before them raised (DESIGN.md §3.1).
    """

    def __init__(self, addons: Iterable[Any], monkeypatch: Any, *, http2: bool = False) -> None:
        self.addons = list(addons)
        self.clock = Clock()
        for module in (delivery, ending, trip, waits):
            monkeypatch.setattr(module, "time", self.clock)
        monkeypatch.setattr(trip, "random", SimpleNamespace(random=random.Random(0).random))
        self.connects: Callable[[tuple[str, int]], str | None] = lambda address: None
        self.before: Callable[[str, Any], None] = lambda name, data: None
        self.skipped: set[str] = set()
        self.hooks: list[str] = []
        self.logged: list[str] = []
        self.upstreams: list[Upstream] = []
        self.silent: list[commands.OpenConnection] = []
        self.closed: list[Connection] = []  # upstreams that the proxy closed
        self.sent: list[commands.SendData] = []  # to either side, as it left
        self.client_got = b""
        self.client_closed = False
        self.flow: http.HTTPFlow | None = None
        self._queue: deque[events.Event] = deque()
        self._busy = False
        self._timers: list[tuple[float, commands.RequestWakeup]] = []
        self.client = Client(
            peername=("127.0.0.1", 52000),
            sockname=("127.0.0.1", 8080),
            timestamp_start=time.time(),
            state=ConnectionState.OPEN,
            alpn=b"h2" if http2 else None,
        )
        self.layer = CallLayer(Context(self.client, proxy_options()), HTTPMode.regular)
        self.h2 = Http2Client(self) if http2 else None
        self.feed(events.Start())

    # -- the client's part ------------------------------------------------------------------------------------------

    def says(self, data: bytes) -> None:
        """The client sends bytes."""
        self.feed(events.DataReceived(self.client, data))

    def leaves(self) -> None:
        """The client closes its connection."""
        self.client.state = ConnectionState.CLOSED
        self.feed(events.ConnectionClosed(self.client))

    # -- what there is to see ---------------------------------------------------------------------------------------

    @property
    def upstream(self) -> Upstream:
        """The connection that was opened last."""
        assert self.upstreams, "no connection was opened"
        return self.upstreams[-1]

    @property
    def answer(self) -> Answer:
        """What the client got, read as one HTTP/1 answer."""
        return Answer(self.client_got)

    @property
    def ended(self) -> int:
        """How many times a flow ended: each flow must end once, by `response` or by `error`."""
        return self.hooks.count("response") + self.hooks.count("error")

    # -- time -------------------------------------------------------------------------------------------------------

    def passes(self, seconds: float) -> None:
        """Let time pass; timers that fall due fire in their order."""
        end = self.clock.now + seconds
        while due := [timer for timer in self._timers if timer[0] <= end]:
            timer = min(due, key=lambda timer: timer[0])
            self._timers.remove(timer)
            self.clock.now = max(self.clock.now, timer[0])
            self.feed(events.Wakeup(timer[1]))
        self.clock.now = end

    # -- the machinery ----------------------------------------------------------------------------------------------

    def feed(self, event: events.Event) -> None:
        """Give the layer an event, and do what it then wants, until there is nothing left to do."""
        self._queue.append(event)
        if self._busy:
            return
        self._busy = True
        try:
            while self._queue:
                for command in list(self.layer.handle_event(self._queue.popleft())):
                    self._obey(command)
        finally:
            self._busy = False

    def _obey(self, command: commands.Command) -> None:
        if isinstance(command, commands.StartHook):
            self._hook(command)
        elif isinstance(command, commands.OpenConnection):
            self._open(command)
        elif isinstance(command, commands.RequestWakeup):
            self._timers.append((self.clock.now + command.delay, command))
        elif isinstance(command, commands.SendData):
            self._deliver(command)
        elif isinstance(command, commands.CloseConnection):
            self._close(command)
        elif isinstance(command, commands.Log):
            self.logged.append(command.message)
        else:
            raise AssertionError(f"nobody knows {command}")

    def _hook(self, hook: commands.StartHook) -> None:
        self.hooks.append(hook.name)
        (data,) = hook.args()
        if isinstance(data, http.HTTPFlow):
            self.flow = data
        self.before(hook.name, data)
        for addon in () if hook.name in self.skipped else self.addons:
            if handler := getattr(addon, hook.name, None):
                finished(handler(data))
        if hook.blocking:
            self._queue.append(events.HookCompleted(hook))

    def _open(self, command: commands.OpenConnection) -> None:
        address = command.connection.address
        assert address
        fate = self.connects(address)
        if fate == "silence":
            self.silent.append(command)
        elif fate:
            self.refuse(command, fate)
        else:
            self.accept(command)

    def accept(self, command: commands.OpenConnection) -> None:
        """The connection is open."""
        command.connection.state = ConnectionState.OPEN
        command.connection.timestamp_start = time.time()
        self.upstreams.append(Upstream(self, command.connection))
        self.feed(events.OpenConnectionCompleted(command, None))

    def refuse(self, command: commands.OpenConnection, error: str) -> None:
        """The connection cannot be opened."""
        command.connection.error = error
        data = ServerConnectionHookData(server=command.connection, client=self.client)
        for addon in self.addons:
            if handler := getattr(addon, "server_connect_error", None):
                handler(data)
        self.feed(events.OpenConnectionCompleted(command, error))

    def _deliver(self, command: commands.SendData) -> None:
        self.sent.append(command)
        if command.connection is self.client:
            if self.client.state & ConnectionState.CAN_WRITE:
                self.client_got += command.data
                if self.h2:
                    self.h2.receive(command.data)
            return
        for upstream in self.upstreams:
            if upstream.connection is command.connection and not upstream.closed:
                upstream.got += command.data

    def _close(self, command: commands.CloseConnection) -> None:
        if getattr(command, "half_close", False):
            return
        connection = command.connection
        was_open = connection.state is not ConnectionState.CLOSED
        connection.state = ConnectionState.CLOSED
        if connection is self.client:
            self.client_closed = True
        else:
            self.closed.append(connection)
        for upstream in self.upstreams:
            if upstream.connection is connection:
                upstream.closed = True
        if was_open:  # mitmproxy's server tells the layer of each connection that ends
            self._queue.append(events.ConnectionClosed(connection))


class Http2Client:
    """The client's end of an HTTP/2 connection."""

    def __init__(self, play: Playbook) -> None:
        self._play = play
        self._connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self._connection.initiate_connection()
        self.headers: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, bytes] = {}
        self.ended: set[int] = set()
        self.reset: set[int] = set()
        self._waits = False

    def asks(self, path: str, body: bytes, *, trailers: Iterable[tuple[str, str]] = (), host: str = OPENAI) -> int:
        """Send a request; return its stream id."""
        stream_id = self._connection.get_next_available_stream_id()
        head = [(":method", "POST"), (":scheme", "http"), (":authority", host), (":path", path)]
        self._connection.send_headers(stream_id, [*head, ("content-type", "application/json")])
        self._connection.send_data(stream_id, body, end_stream=not trailers)
        if trailers:
            self._connection.send_headers(stream_id, list(trailers), end_stream=True)
        self.bodies[stream_id] = b""
        self._flush()
        return stream_id

    def asks_and_cancels(self, path: str, body: bytes) -> None:
        """Send a request and the reset of its stream in one piece, as a busy proxy reads them."""
        self._waits = True
        self.cancels(self.asks(path, body))
        self._waits = False
        self._flush()

    def cancels(self, stream_id: int) -> None:
        """Reset one stream and keep the connection."""
        self._connection.reset_stream(stream_id)
        self._flush()

    def receive(self, data: bytes) -> None:
        """Take bytes from the proxy."""
        for event in self._connection.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                self.headers[event.stream_id] = {str(k, "utf-8"): str(v, "utf-8") for k, v in event.headers}
            elif isinstance(event, h2.events.DataReceived):
                self.bodies[event.stream_id] += event.data
            elif isinstance(event, h2.events.StreamEnded):
                self.ended.add(event.stream_id)
            elif isinstance(event, h2.events.StreamReset):
                self.reset.add(event.stream_id)

    def _flush(self) -> None:
        if not self._waits:
            self._play.says(self._connection.data_to_send())


class Answer:
    """Bytes that a client got, read as one HTTP/1 answer."""

    def __init__(self, data: bytes) -> None:
        head, self.has_head, rest = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1]) if self.has_head else 0
        self.headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.body = rest
        self.complete = len(rest) == int(self.headers.get("content-length", -1))
        if "chunked" in self.headers.get("transfer-encoding", ""):
            self.body, self.complete = unchunked(rest)


def unchunked(data: bytes) -> tuple[bytes, bool]:
    """Undo chunked encoding; tells whether the last chunk has come."""
    body = b""
    while data:
        size, _, rest = data.partition(b"\r\n")
        length = int(size, 16)
        if length == 0:
            assert rest == b"\r\n", "something follows the last chunk"
            return body, True
        assert rest[length : length + 2] == b"\r\n"
        body += rest[:length]
        data = rest[length + 2 :]
    return body, False


def request(
    path: str, body: bytes, headers: dict[str, str] | None = None, *, method: str = "POST", host: str = OPENAI
) -> bytes:
    """A request as a client sends it to a proxy."""
    lines = {"host": host, "content-type": "application/json", "content-length": str(len(body))} | (headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} http://{host}{path} HTTP/1.1\r\n{head}\r\n".encode() + body


def response_head(status: int, headers: dict[str, str]) -> bytes:
    """The head of an upstream's answer."""
    return f"HTTP/1.1 {status} X\r\n{''.join(f'{k}: {v}\r\n' for k, v in headers.items())}\r\n".encode()


def response(status: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    """An upstream's whole answer."""
    lines = {"content-type": "application/json", "content-length": str(len(body))} | (headers or {})
    return response_head(status, lines) + body


def proxy_options() -> options.Options:
    """mitmproxy's options as its proxy server declares them."""
    chosen = options.Options()
    Proxyserver().load(SimpleNamespace(add_option=chosen.add_option))
    chosen.connection_strategy = "lazy"
    return chosen
